using System;
using System.Collections;
using System.Collections.Generic;

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
        /// Gives each of them in the module's function the value it has where its cmdlet was called from. The objects are the
        /// $PSCmdlet and the $ExecutionContext of the function.
        /// </summary>
        public static void TakePreferences(object cmdlet, object context, IDictionary bound)
        {
            object from = Variables(cmdlet);
            object to = Variables(context);
            // Delegates, because a method that is invoked twice by reflection is compiled for that.
            Func<string, object> get = (Func<string, object>)Delegate.CreateDelegate(
                typeof(Func<string, object>), from, from.GetType().GetMethod("GetValue", new Type[] { typeof(string) }));
            Action<string, object> set = (Action<string, object>)Delegate.CreateDelegate(
                typeof(Action<string, object>), to, to.GetType().GetMethod("Set", new Type[] { typeof(string), typeof(object) }));
            foreach (string name in UnboundPreferences(bound))
            {
                object value = get(name);
                if (value != null)
                {
                    set(name, value);
                }
            }
        }

        internal static object Variables(object cmdletOrContext)
        {
            object state = cmdletOrContext.GetType().GetProperty("SessionState").GetValue(cmdletOrContext, null);
            return state.GetType().GetProperty("PSVariable").GetValue(state, null);
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
                    request[MemberName(name)] = IsTrue(bound[name]);
                }
            }

            foreach (string name in Switches)
            {
                AddSwitch(request, bound, name);
            }

            foreach (string name in Texts)
            {
                AddText(request, bound, name);
            }

            return request;
        }

        internal static void AddSwitch(Hashtable request, IDictionary bound, string name)
        {
            if (IsTrue(bound[name]))
            {
                request[MemberName(name)] = true;
            }
        }

        internal static void AddText(Hashtable request, IDictionary bound, string name)
        {
            string text = Convert.ToString(bound[name]);
            if (!string.IsNullOrWhiteSpace(text))
            {
                request[MemberName(name)] = text;
            }
        }

        private static string MemberName(string parameter)
        {
            return char.ToLowerInvariant(parameter[0]) + parameter.Substring(1);
        }

        // A [bool], or a switch, whose text is that of its value.
        internal static bool IsTrue(object value)
        {
            return Convert.ToString(value) == bool.TrueString;
        }
    }
}
