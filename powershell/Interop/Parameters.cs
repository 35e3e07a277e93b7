using System;
using System.Collections;
using System.Collections.Generic;
using System.Reflection;

namespace UMMailboxPin
{
    /// <summary>What was bound to a cmdlet, turned into what the module goes on with.</summary>
    public static class Parameters
    {
        private static readonly string[] Truths = { "PinExpired", "LockedOut", "SendEmail" };
        private static readonly string[] Switches = { "IgnoreDefaultScope", "KeepPin" };
        private static readonly string[] Texts = { "NotifyEmail", "DomainController" };

        // Each preference variable with the common parameter that takes its place.
        private static readonly string[] Preferences =
        {
            "WhatIfPreference", "WhatIf", "ConfirmPreference", "Confirm", "VerbosePreference", "Verbose", "DebugPreference", "Debug",
            "WarningPreference", "WarningAction", "InformationPreference", "InformationAction",
            "ErrorActionPreference", "ErrorAction", "ProgressPreference", "ProgressAction",
        };

        /// <summary>The preference variables that no parameter of this call takes the place of.</summary>
        public static string[] UnboundPreferences(IDictionary bound)
        {
            List<string> names = new List<string>();
            for (int i = 0; i < Preferences.Length; i += 2)
            {
                if (!bound.Contains(Preferences[i + 1]))
                {
                    names.Add(Preferences[i]);
                }
            }

            return names.ToArray();
        }

        /// <summary>
        /// Gives each of them in one session state the value it has in another. Both are PSVariableIntrinsics, a class of an assembly
        /// that this one does not know.
        /// </summary>
        public static void TakePreferences(object from, object to, IDictionary bound)
        {
            MethodInfo get = from.GetType().GetMethod("GetValue", new Type[] { typeof(string) });
            MethodInfo set = to.GetType().GetMethod("Set", new Type[] { typeof(string), typeof(object) });
            foreach (string name in UnboundPreferences(bound))
            {
                object value = get.Invoke(from, new object[] { name });
                if (value != null)
                {
                    set.Invoke(to, new object[] { name, value });
                }
            }
        }

        /// <summary>The request of Set-UMMailboxPIN, but for the identity. What was omitted or is blank is left out.</summary>
        public static Hashtable ResetRequest(string cmdlet, IDictionary bound)
        {
            Hashtable request = new Hashtable();
            request["cmdlet"] = cmdlet;
            foreach (string name in Truths)
            {
                if (bound.Contains(name))
                {
                    request[Field(name)] = IsTrue(bound[name]);
                }
            }

            foreach (string name in Switches)
            {
                if (bound.Contains(name) && IsTrue(bound[name]))
                {
                    request[Field(name)] = true;
                }
            }

            foreach (string name in Texts)
            {
                string text = bound.Contains(name) ? Convert.ToString(bound[name]) : null;
                if (!string.IsNullOrWhiteSpace(text))
                {
                    request[Field(name)] = text;
                }
            }

            return request;
        }

        private static string Field(string parameter)
        {
            return char.ToLowerInvariant(parameter[0]) + parameter.Substring(1);
        }

        // A [bool], or a switch, whose type lies in an assembly that this one does not know.
        internal static bool IsTrue(object value)
        {
            return Convert.ToString(value) == bool.TrueString;
        }
    }
}
