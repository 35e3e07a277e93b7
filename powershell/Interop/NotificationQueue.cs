using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The queued messages that one call of Send-UMPinNotification sends.</summary>
    /// <remarks>Neither recipients nor PINs are told.</remarks>
    public sealed class NotificationQueue : ConfirmedChange
    {
        private readonly bool passThru;
        private string guid;

        /// <summary>Opens the directory.</summary>
        public NotificationQueue(CommandRuntime runtime) : base(runtime, SessionCache.OpenDirectory(runtime))
        {
            passThru = Parameters.IsTrue(runtime.Bound["PassThru"]);
        }

        // The messages of one mailbox are looked up before the question, so that -WhatIf and -Confirm name what there is to send.
        internal override string LookUp()
        {
            guid = null;
            if (!Runtime.Bound.Contains("Identity"))
            {
                return Runtime.ExpectingInput ? null : "Sending all queued messages with PINs that are due.";
            }

            Hashtable request = new Hashtable();
            request["operation"] = "notifications";
            NativeResult result;
            if (!TryIdentify(request, "an object") || !TrySend(request, out result))
            {
                return null;
            }

            object[] waiting = Array.FindAll(
                result.Items, delegate(object one) { return !"expired".Equals(((Hashtable)one)["state"]); });
            if (waiting.Length == 0)
            {
                Runtime.WriteVerbose("Nothing is queued for this mailbox.");
                return null;
            }

            Hashtable first = (Hashtable)waiting[0];
            guid = Convert.ToString(first["guid"]);
            return "Sending " + (waiting.Length == 1 ? "the queued message" : "the " + waiting.Length + " queued messages")
                + " with the PIN of mailbox \"" + first["identity"] + "\".";
        }

        // Some at a time; what became of each is written.
        internal override IEnumerable Commit()
        {
            Hashtable request = new Hashtable();
            request["operation"] = "sendNotifications";
            if (guid != null)
            {
                request["identity"] = guid;
            }

            NativeResult result;
            do
            {
                result = Cache.Send(Runtime, request);
                if (Runtime.Stopping)
                {
                    TellTried(result);
                    Runtime.ThrowIfStopping();
                }

                Runtime.WriteDiagnostics(result);
                if (result.Failed)
                {
                    Runtime.WriteError(result, Input);
                    yield break;
                }

                foreach (Hashtable item in result.Items)
                {
                    // The object comes first: under -ErrorAction Stop the caller must still see what became of the message.
                    if (passThru)
                    {
                        yield return new SentNotification(item);
                    }

                    Remark(item);
                }

                request["due"] = result.Value == null ? null : result.Value["next"];
            }
            while (request["due"] != null);
            if (result.Value != null && true.Equals(result.Value["blocked"]))
            {
                Runtime.WriteWarning("Nothing gets through at the moment: the messages that were not tried yet stay queued.");
            }
        }

        private void TellTried(NativeResult result)
        {
            string[] tried = Array.ConvertAll(result.Items, delegate(object one)
            {
                Hashtable item = (Hashtable)one;
                return "for " + Name(item) + ": " + item["outcome"];
            });
            if (tried.Length > 0)
            {
                Runtime.Tell("Send-UMPinNotification was stopped. It had tried the messages " + string.Join("; ", tried) + ".");
            }
        }

        private static string Name(Hashtable item)
        {
            return item["identity"] == null ? "a mailbox that is gone" : "mailbox \"" + item["identity"] + "\"";
        }

        private void Remark(Hashtable item)
        {
            string outcome = Convert.ToString(item["outcome"]);
            string name = Name(item);
            string reason = Convert.ToString(item["reason"]);
            string tryAgain = "Correct the cause; the message is tried again until it expires.";
            switch (outcome)
            {
                case "sent":
                    Runtime.WriteVerbose("The message for " + name + " was handed over.");
                    break;
                case "queued":
                    Fail(item, "The message for " + name + " could not be delivered and stays queued: " + reason + ".", tryAgain);
                    break;
                case "failed":
                    Fail(item, "The message for " + name + " was refused and stays queued: " + reason + ".", tryAgain);
                    break;
                case "expired":
                    Fail(
                        item, "The message for " + name + " could not be delivered in time and was given up: " + reason + ".",
                        "Correct the cause, then reset the PIN again.");
                    break;
                default:
                    Runtime.WriteVerbose("The message for " + name + " was not sent: " + reason + ".");
                    break;
            }
        }

        private void Fail(Hashtable item, string message, string recommendedAction)
        {
            Runtime.WriteError(Runtime.NewError("NotificationFailed", message, recommendedAction, item["identity"]));
        }
    }
}
