using System.Collections;
using System.Collections.Generic;

namespace UMMailboxPin
{
    /// <summary>What -WhatIf and -Confirm show: the resolved mailbox and everything that will happen to it, never the PIN.</summary>
    public static class ResetTarget
    {
        /// <summary>The sentence about the target of a plan.</summary>
        public static string Describe(Hashtable target, bool sendEmail)
        {
            string mailbox = "\"" + target["identity"] + "\"";
            string recipient = target["recipient"] as string;
            bool locks = Is(target, "lockedOut");
            bool expires = Is(target, "pinExpired");
            List<string> effects = new List<string>();
            string start;
            if (Is(target, "keepsPin"))
            {
                start = (locks ? "Locking" : "Unlocking") + " the telephone access of mailbox " + mailbox + " without changing its PIN";
                if (expires)
                {
                    effects.Add("the PIN must be changed at the next sign-in");
                }
            }
            else
            {
                start = "Resetting the Unified Messaging PIN of mailbox " + mailbox;
                bool mails = sendEmail && !string.IsNullOrEmpty(recipient);
                effects.Add((Is(target, "generatesPin") ? "a new PIN is generated" : "the given PIN is set")
                    + (mails ? " and mailed to " + recipient : " and not mailed to anyone"));
                effects.Add(expires ? "it must be changed at the next sign-in" : "it need not be changed at the next sign-in");
                effects.Add(locks ? "the mailbox is locked" : "the mailbox is unlocked");
            }

            return start + (effects.Count == 0 ? "." : ": " + string.Join("; ", effects) + ".");
        }

        private static bool Is(Hashtable target, string name)
        {
            return true.Equals(target[name]);
        }
    }
}
