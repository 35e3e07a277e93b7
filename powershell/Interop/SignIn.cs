using System.Collections;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>The attempts of one pipeline of Test-UMMailboxPIN.</summary>
    public sealed class SignIn
    {
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly Hashtable request;
        private readonly SecureString pin;
        private object input;

        /// <summary>With what was bound to the function.</summary>
        public SignIn(CommandRuntime runtime, Connection connection, IDictionary bound)
        {
            this.runtime = runtime;
            this.connection = connection;
            request = Parameters.ResetRequest("Test-UMMailboxPIN", bound);
            pin = GivenPin.Behind(bound["Pin"] as string);
            if (pin != null && GivenPin.IsBlank(pin))
            {
                runtime.Terminate(ErrorCatalogue.BlankPin(runtime.Engine));
            }

            // PowerShell may end after this: a message must be on its way by then.
            request["deliver"] = true;
        }

        /// <summary>What -Confirm shows; null: nothing was given that names a mailbox.</summary>
        public string Sentence { get; private set; }

        /// <summary>Takes a mailbox, which is not looked up: that would tell without an attempt which there are.</summary>
        public IEnumerable Find(object input)
        {
            return new Output(runtime, Take(input));
        }

        /// <summary>Makes one attempt, which counts, and writes what became of it.</summary>
        public IEnumerable Attempt()
        {
            return new Output(runtime, Write());
        }

        private IEnumerable Take(object input)
        {
            this.input = input;
            Sentence = null;
            if (connection.Directory == "embedded" && request.Contains("domainController"))
            {
                runtime.WriteWarning(ResetAdvice.NoDomainControllers);
            }

            if (!IdentityCandidates.Put(request, "identity", input))
            {
                runtime.WriteError(Answer.NoIdentity("a mailbox"), input);
                yield break;
            }

            Sentence = "Signing in to mailbox \"" + request["identity"] + "\" with a PIN, which counts as an attempt.";
        }

        private IEnumerable Write()
        {
            Answer answer = connection.Wait(runtime, Native.SignIn(connection.Session, request, pin));
            if (runtime.Stopping && answer.Value != null)
            {
                runtime.Tell(
                    "The attempt to sign in to mailbox \"" + answer.Value["identity"] + "\" was made and counted before the stop took effect.");
            }

            runtime.ThrowIfStopping();
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                runtime.WriteError(answer, input);
            }
            else if (answer.Value != null)
            {
                yield return new SignInResult(answer.Value);
            }
        }
    }
}
