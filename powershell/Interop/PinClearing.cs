using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The PINs that one call of Clear-UMMailboxPIN clears.</summary>
    public sealed class PinClearing : ConfirmedChange
    {
        private Hashtable request;

        /// <summary>Opens the directory.</summary>
        public PinClearing(CommandRuntime runtime) : base(runtime, SessionCache.OpenDirectory(runtime))
        {
        }

        internal override string LookUp()
        {
            request = new Hashtable();
            request["operation"] = "clearPin";
            Parameters.AddSwitch(request, Runtime.Bound, "IgnoreDefaultScope");
            Parameters.AddText(request, Runtime.Bound, "DomainController");
            ResetAdvice.AboutDomainController(Runtime, Cache, request);
            NativeResult result;
            if (!TryIdentify(request, "a mailbox"))
            {
                return null;
            }

            request["whatIf"] = true;
            if (!TrySend(request, out result))
            {
                return null;
            }

            WriteWarnings(result);
            string name = "\"" + result.Value["identity"] + "\"";
            if (!true.Equals(result.Value["hadRecord"]) && !true.Equals(result.Value["hadCounter"]))
            {
                Runtime.WriteVerbose("Mailbox " + name + " has no PIN record; nothing is cleared.");
                return null;
            }

            request.Remove("whatIf");
            request.Remove("alternatives");
            // What was shown is what is cleared. The whole forest is searched by distinguished name alone.
            request["identity"] = result.Value[request.Contains("ignoreDefaultScope") ? "distinguishedName" : "guid"];
            return "Clearing the PIN record of mailbox " + name
                + ": its PIN, the history, the lock and the failed sign-ins. The user can sign in only after the next reset.";
        }

        internal override IEnumerable Commit()
        {
            NativeResult result;
            if (TryCommit(request, out result))
            {
                WriteWarnings(result);
            }

            yield break;
        }

        internal override string Done(Hashtable value)
        {
            return "The PIN record of mailbox \"" + value["identity"] + "\" was cleared before the stop took effect.";
        }
    }
}
