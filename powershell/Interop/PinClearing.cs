using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The PINs that one call of Clear-UMMailboxPIN clears.</summary>
    public sealed class PinClearing
    {
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly IDictionary bound;
        private object input;
        private Hashtable request;

        /// <summary>With what was bound to the function.</summary>
        public PinClearing(CommandRuntime runtime, Connection connection, IDictionary bound)
        {
            this.runtime = runtime;
            this.connection = connection;
            this.bound = bound;
        }

        /// <summary>What -WhatIf and -Confirm show; null: there is nothing to clear.</summary>
        public string Sentence { get; private set; }

        /// <summary>Looks the mailbox up, and what it has.</summary>
        public IEnumerable Find(object given)
        {
            input = given;
            Sentence = null;
            return new Output(runtime, LookUp());
        }

        /// <summary>Clears it.</summary>
        public IEnumerable Commit()
        {
            return new Output(runtime, Clear());
        }

        private IEnumerable LookUp()
        {
            request = new Hashtable();
            request["operation"] = "clearPin";
            Parameters.AddSwitch(request, bound, "IgnoreDefaultScope");
            Parameters.AddText(request, bound, "DomainController");
            if (request.Contains("domainController") && connection.Directory == "embedded")
            {
                runtime.WriteWarning(ResetAdvice.NoDomainControllers);
            }

            if (!IdentityCandidates.Put(request, "identity", input))
            {
                runtime.WriteError(Answer.NoIdentity("a mailbox"), input);
                yield break;
            }

            request["whatIf"] = true;
            Answer answer = connection.Send(runtime, request);
            runtime.ThrowIfStopping();
            if (Failed(answer))
            {
                yield break;
            }

            foreach (Hashtable warning in Warnings(answer))
            {
                runtime.WriteWarning(warning["message"] + " " + warning["recommendedAction"]);
            }

            string name = "\"" + answer.Value["identity"] + "\"";
            if (!true.Equals(answer.Value["hadRecord"]) && !true.Equals(answer.Value["hadCounter"]))
            {
                runtime.WriteVerbose("Mailbox " + name + " has no PIN record; nothing is cleared.");
                yield break;
            }

            request.Remove("whatIf");
            request.Remove("alternatives");
            // What was shown is what is cleared. The whole forest is searched by distinguished name alone.
            request["identity"] = answer.Value[request.Contains("ignoreDefaultScope") ? "distinguishedName" : "guid"];
            Sentence = "Clearing the PIN record of mailbox " + name
                + ": its PIN, the history, the lock and the failed sign-ins. The user can sign in only after the next reset.";
        }

        private IEnumerable Clear()
        {
            Answer answer = connection.Send(runtime, request);
            if (runtime.Stopping && answer.Value != null)
            {
                runtime.Tell("The PIN record of mailbox \"" + answer.Value["identity"] + "\" was cleared before the stop took effect.");
            }

            runtime.ThrowIfStopping();
            if (Failed(answer))
            {
                yield break;
            }

            foreach (Hashtable warning in Warnings(answer))
            {
                runtime.WriteWarning(warning["message"] + " " + warning["recommendedAction"]);
            }
        }

        private bool Failed(Answer answer)
        {
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                runtime.WriteError(answer, input);
            }

            return answer.Failed;
        }

        private static object[] Warnings(Answer answer)
        {
            return answer.Value["warnings"] as object[] ?? new object[0];
        }
    }
}
