using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The queued messages that one call of Send-UMPinNotification sends.</summary>
    public sealed class NotificationQueue
    {
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly bool passThru;
        private object input;
        private string guid;

        /// <summary>Neither recipients nor PINs are told.</summary>
        public NotificationQueue(CommandRuntime runtime, Connection connection, bool passThru)
        {
            this.runtime = runtime;
            this.connection = connection;
            this.passThru = passThru;
        }

        /// <summary>What -WhatIf and -Confirm show; null: there is nothing to send.</summary>
        public string Sentence { get; private set; }

        /// <summary>All that are due.</summary>
        public void SelectAll()
        {
            guid = null;
            Sentence = "Sending all queued messages with PINs that are due.";
        }

        /// <summary>Those of one mailbox; looked up before the question, so that -WhatIf and -Confirm name what there is to send.</summary>
        public IEnumerable Find(object input)
        {
            this.input = input;
            guid = null;
            Sentence = null;
            return new Output(runtime, LookUp());
        }

        /// <summary>Sends them, some at a time, and writes what became of each.</summary>
        public IEnumerable Send()
        {
            return new Output(runtime, SendAll());
        }

        private IEnumerable LookUp()
        {
            Hashtable request = new Hashtable();
            request["operation"] = "notifications";
            if (!IdentityCandidates.Put(request, "identity", input))
            {
                runtime.WriteError(Answer.NoIdentity("an object"), input);
                yield break;
            }

            Answer answer = connection.Send(runtime, request);
            runtime.ThrowIfStopping();
            if (answer.Failed)
            {
                runtime.WriteError(answer, input);
                yield break;
            }

            object[] waiting = Array.FindAll(
                answer.Items, delegate(object one) { return !"expired".Equals(((Hashtable)one)["state"]); });
            if (waiting.Length == 0)
            {
                runtime.WriteVerbose("Nothing is queued for this mailbox.");
                yield break;
            }

            Hashtable first = (Hashtable)waiting[0];
            guid = Convert.ToString(first["guid"]);
            Sentence = "Sending " + (waiting.Length == 1 ? "the queued message" : "the " + waiting.Length + " queued messages")
                + " with the PIN of mailbox \"" + first["identity"] + "\".";
        }

        private IEnumerable SendAll()
        {
            Hashtable request = new Hashtable();
            request["operation"] = "sendNotifications";
            if (guid != null)
            {
                request["identity"] = guid;
            }

            Answer answer;
            do
            {
                answer = connection.Send(runtime, request);
                if (runtime.Stopping)
                {
                    TellTried(answer);
                    runtime.ThrowIfStopping();
                }

                runtime.WriteDiagnostics(answer);
                if (answer.Failed)
                {
                    runtime.WriteError(answer, input);
                    yield break;
                }

                foreach (Hashtable item in answer.Items)
                {
                    // The object comes first: under -ErrorAction Stop the caller must still see what became of the message.
                    if (passThru)
                    {
                        yield return new SentNotification(item);
                    }

                    Remark(item);
                }

                request["due"] = answer.Value == null ? null : answer.Value["next"];
            }
            while (request["due"] != null);
            if (answer.Value != null && true.Equals(answer.Value["blocked"]))
            {
                runtime.WriteWarning("Nothing gets through at the moment: the messages that were not tried yet stay queued.");
            }
        }

        private void TellTried(Answer answer)
        {
            string[] tried = Array.ConvertAll(answer.Items, delegate(object one)
            {
                Hashtable item = (Hashtable)one;
                return "for " + Name(item) + ": " + item["outcome"];
            });
            if (tried.Length > 0)
            {
                runtime.Tell("Send-UMPinNotification was stopped. It had tried the messages " + string.Join("; ", tried) + ".");
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
                    runtime.WriteVerbose("The message for " + name + " was handed over.");
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
                    runtime.WriteVerbose("The message for " + name + " was not sent: " + reason + ".");
                    break;
            }
        }

        private void Fail(Hashtable item, string message, string recommendedAction)
        {
            runtime.WriteError(runtime.NewError("NotificationFailed", message, recommendedAction, item["identity"]));
        }
    }
}
