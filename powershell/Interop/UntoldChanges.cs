using System;
using System.Collections;
using System.Collections.Generic;

namespace UMMailboxPin
{
    /// <summary>Changes that were carried out although their pipeline had ended, so that nothing was written about them.</summary>
    internal sealed class UntoldChanges
    {
        private readonly ArrayList items = new ArrayList();

        internal void Add(ResetItem item)
        {
            items.Add(item);
        }

        internal void Remove(ResetItem item)
        {
            items.Remove(item);
        }

        /// <summary>What to tell about them; null: there are none.</summary>
        internal string Describe(string cmdlet)
        {
            List<string> made = new List<string>();
            List<string> unknown = new List<string>();
            foreach (ResetItem item in items)
            {
                string name = "\"" + (item.Target == null ? item.Input : item.Target["identity"]) + "\"";
                if (item.Result.Value != null)
                {
                    string notification = item.Result.Value["notification"] as string;
                    made.Add(notification == "failed" || notification == "queued" ? name + " (its message was not sent yet)" : name);
                }
                else if (item.IsUnknown)
                {
                    unknown.Add(name);
                }
            }

            if (made.Count + unknown.Count == 0)
            {
                return null;
            }

            string text = cmdlet + " was ended early.";
            if (made.Count > 0)
            {
                text += " It had already changed " + string.Join(", ", made.ToArray()) + ".";
            }

            if (unknown.Count > 0)
            {
                text += " Whether it changed " + string.Join(", ", unknown.ToArray()) + " is not known.";
            }

            return text + " Get-UMPinAudit shows what was changed.";
        }
    }
}
