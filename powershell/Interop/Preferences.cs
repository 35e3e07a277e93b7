using System.Collections;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>Gives a function of the module the preference variables of the scope that called it.</summary>
    internal static class Preferences
    {
        // Each variable with the common parameter that takes its place.
        private static readonly string[] Names =
        {
            "WhatIfPreference", "WhatIf", "ConfirmPreference", "Confirm", "VerbosePreference", "Verbose", "DebugPreference", "Debug",
            "WarningPreference", "WarningAction", "InformationPreference", "InformationAction",
            "ErrorActionPreference", "ErrorAction", "ProgressPreference", "ProgressAction",
        };

        /// <summary>Copies each variable whose parameter is not bound from the caller's scope to the function's.</summary>
        internal static void Take(PSVariableIntrinsics caller, PSVariableIntrinsics function, IDictionary bound)
        {
            for (int i = 0; i < Names.Length; i += 2)
            {
                object value = bound.Contains(Names[i + 1]) ? null : caller.GetValue(Names[i]);
                if (value != null)
                {
                    function.Set(Names[i], value);
                }
            }
        }
    }
}
