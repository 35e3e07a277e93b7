using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What one call of Remove-UMDirectoryMailbox removes.</summary>
    public sealed class MailboxRemoval
    {
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private object input;
        private string guid;

        /// <summary>On the directory that is open.</summary>
        public MailboxRemoval(CommandRuntime runtime, Connection connection)
        {
            this.runtime = runtime;
            runtime.HighImpact = true;
            this.connection = connection;
        }

        /// <summary>What -WhatIf and -Confirm show; null: there is nothing to remove.</summary>
        public string Sentence { get; private set; }

        /// <summary>Looks the mailbox up.</summary>
        public IEnumerable Find(object given)
        {
            input = given;
            guid = null;
            Sentence = null;
            return new Output(runtime, LookUp());
        }

        /// <summary>Removes it.</summary>
        public IEnumerable Commit()
        {
            return new Output(runtime, Remove());
        }

        private IEnumerable LookUp()
        {
            Hashtable request = new Hashtable();
            request["operation"] = "removeMailbox";
            request["whatIf"] = true;
            if (!IdentityCandidates.Put(request, "identity", input))
            {
                runtime.WriteError(Answer.NoIdentity("an object"), input);
                yield break;
            }

            Answer answer = connection.Send(runtime, request);
            runtime.ThrowIfStopping();
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                runtime.WriteError(answer, input);
                yield break;
            }

            guid = Convert.ToString(answer.Value["guid"]);
            int messages = Convert.ToInt32(answer.Value["messagesDropped"]);
            Sentence = "Removing mailbox \"" + answer.Value["identity"] + "\""
                + (true.Equals(answer.Value["hadRecord"]) ? ", its PIN" : string.Empty)
                + (messages == 0 ? string.Empty : messages == 1 ? " and a queued message" : " and " + messages + " queued messages")
                + " from the directory. This cannot be undone.";
        }

        private IEnumerable Remove()
        {
            Hashtable request = new Hashtable();
            request["operation"] = "removeMailbox";
            request["identity"] = guid;
            Answer answer = connection.Send(runtime, request);
            if (runtime.Stopping && answer.Value != null)
            {
                runtime.Tell("The mailbox \"" + answer.Value["identity"] + "\" was removed before the stop took effect.");
            }

            runtime.ThrowIfStopping();
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                runtime.WriteError(answer, input);
            }

            yield break;
        }
    }
}
