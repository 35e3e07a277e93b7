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

    /// <summary>
    /// For -Identity: a number literal is what was typed, so that 0042 does not name the mailbox 42; and an object whose property
    /// Identity is null is taken as a whole.
    /// </summary>
    /// <remarks>
    /// PowerShell tries the property of that name before it converts the object, and binds null without a conversion, which ends in an
    /// error. What stands for null here needs a conversion, and so PowerShell goes on to the object itself. A null that was written
    /// after -Identity stays one.
    /// </remarks>
    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class IdentityTransformationAttribute : ArgumentTransformationAttribute
    {
        /// <inheritdoc/>
        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            if (inputData == null)
            {
                return IsPipelined(engineIntrinsics) ? NullIdentity.Value : null;
            }

            PSObject wrapped = inputData as PSObject;
            return wrapped != null && NumberText.IsNumber(wrapped.BaseObject)
                ? LanguagePrimitives.ConvertTo(wrapped, typeof(string))
                : inputData;
        }

        // Arguments are bound where the command is called, what comes through the pipeline in the scope of the function, which has begun.
        private static bool IsPipelined(EngineIntrinsics engine)
        {
            object value = engine == null ? null : engine.SessionState.PSVariable.GetValue("runtime");
            PSObject wrapped = value as PSObject;
            return (wrapped == null ? value : wrapped.BaseObject) is CommandRuntime;
        }
    }
}
