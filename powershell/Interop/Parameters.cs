using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What was bound to a cmdlet, turned into what the module goes on with.</summary>
    internal static class Parameters
    {
        private static readonly string[] Truths = { "PinExpired", "LockedOut", "SendEmail" };
        private static readonly string[] Switches = { "IgnoreDefaultScope", "KeepPin" };
        private static readonly string[] Texts = { "NotifyEmail", "DomainController" };

        /// <summary>What was bound to -Identity, as it was given.</summary>
        internal static object Identity(IDictionary bound)
        {
            MailboxIdParameter identity = bound["Identity"] as MailboxIdParameter;
            return identity == null ? bound["Identity"] : identity.RawInput;
        }

        /// <summary>The request of Set-UMMailboxPIN, but for the identity. What was omitted or is blank is left out.</summary>
        internal static Hashtable ResetRequest(string cmdlet, IDictionary bound)
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
