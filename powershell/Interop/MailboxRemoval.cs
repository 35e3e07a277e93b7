using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What one call of Remove-UMDirectoryMailbox removes.</summary>
    public sealed class MailboxRemoval : ConfirmedChange
    {
        private Hashtable request;

        /// <summary>Opens the directory.</summary>
        public MailboxRemoval(CommandRuntime runtime) : base(runtime, SessionCache.OpenDirectory(runtime))
        {
            runtime.HighImpact = true;
        }

        internal override string LookUp()
        {
            request = new Hashtable();
            request["operation"] = "removeMailbox";
            request["whatIf"] = true;
            NativeResult result;
            if (!TryIdentify(request, "an object") || !TrySend(request, out result))
            {
                return null;
            }

            request.Remove("whatIf");
            request.Remove("alternatives");
            request["identity"] = Convert.ToString(result.Value["guid"]);
            int messages = Convert.ToInt32(result.Value["messagesDropped"]);
            return "Removing mailbox \"" + result.Value["identity"] + "\""
                + (true.Equals(result.Value["hadRecord"]) ? ", its PIN" : string.Empty)
                + (messages == 0 ? string.Empty : messages == 1 ? " and a queued message" : " and " + messages + " queued messages")
                + " from the directory. This cannot be undone.";
        }

        internal override IEnumerable Commit()
        {
            NativeResult result;
            TryCommit(request, out result);
            yield break;
        }

        internal override string Done(Hashtable value)
        {
            return "The mailbox \"" + value["identity"] + "\" was removed before the stop took effect.";
        }
    }
}
