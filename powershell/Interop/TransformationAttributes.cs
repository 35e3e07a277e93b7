using System;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>For -Pin: the value becomes a placeholder, which shows nothing and leads to the PIN.</summary>
    /// <remarks>
    /// So neither the variable nor $PSBoundParameters, the call stack, a nested prompt or the log of parameter bindings has the PIN.
    /// The parameter stays a String, as the original's.
    /// </remarks>
    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class PinTransformationAttribute : ArgumentTransformationAttribute
    {
        /// <inheritdoc/>
        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            // An assignment to the variable is transformed as well.
            return GivenPin.IsPlaceholder(inputData) ? inputData : GivenPin.Hold(GivenPin.Read(inputData));
        }
    }

    /// <summary>For -Identity: a number literal is what was typed, so that 0042 does not name the mailbox 42.</summary>
    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class IdentityTransformationAttribute : ArgumentTransformationAttribute
    {
        /// <inheritdoc/>
        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            PSObject wrapped = inputData as PSObject;
            return wrapped != null && NumberText.IsNumber(wrapped.BaseObject)
                ? LanguagePrimitives.ConvertTo(wrapped, typeof(string))
                : inputData;
        }
    }
}
