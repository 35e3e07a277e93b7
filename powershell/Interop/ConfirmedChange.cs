using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What one call of a command changes: each item is looked up, asked about and then changed.</summary>
    public abstract class ConfirmedChange
    {
        internal ConfirmedChange(CommandRuntime runtime, SessionCache cache)
        {
            Runtime = runtime;
            Cache = cache;
        }

        internal CommandRuntime Runtime { get; private set; }

        internal SessionCache Cache { get; private set; }

        /// <summary>What the errors are about, as it was given.</summary>
        internal virtual object Input
        {
            get { return Parameters.Identity(Runtime.Bound); }
        }

        /// <summary>Takes one item from the look-up to its end. -WhatIf and a refusal end it before the change.</summary>
        public IEnumerable Process()
        {
            return new Output(Runtime, Run());
        }

        /// <summary>The sentence that -WhatIf and -Confirm show; null: there is nothing to change, and why has been written.</summary>
        internal abstract string LookUp();

        /// <summary>Carries out what was looked up, and gives the objects that are written.</summary>
        internal abstract IEnumerable Commit();

        private IEnumerable Run()
        {
            string sentence = LookUp();
            if (sentence == null || !Runtime.ShouldProcess(sentence))
            {
                yield break;
            }

            foreach (object written in Commit())
            {
                yield return written;
            }
        }

        /// <summary>Puts what the item names into a request. False: it names nothing, which has been written.</summary>
        internal bool TryIdentify(Hashtable request, string what)
        {
            bool found = IdentityCandidates.Put(request, "identity", Input);
            if (!found)
            {
                Runtime.WriteError(NativeResult.NoIdentity(what), Input);
            }

            return found;
        }

        /// <summary>Sends a request, and writes its error. False: it failed.</summary>
        internal bool TrySend(Hashtable request, out NativeResult result)
        {
            result = Cache.Send(Runtime, request);
            Runtime.ThrowIfStopping();
            return Check(result);
        }

        /// <summary>Sends the request that makes the change, which a stop may be too late for: then the host is told.</summary>
        internal bool TryCommit(Hashtable request, out NativeResult result)
        {
            return TryCommit(Native.NewRequest(Cache.Session, request), out result);
        }

        /// <summary>The same for a request that was made.</summary>
        internal bool TryCommit(NativeResult made, out NativeResult result)
        {
            result = Cache.Wait(Runtime, made);
            if (Runtime.Stopping && result.Value != null)
            {
                Runtime.Tell(Done(result.Value));
            }

            Runtime.ThrowIfStopping();
            return Check(result);
        }

        /// <summary>Writes the warnings of a result.</summary>
        internal void WriteWarnings(NativeResult result)
        {
            foreach (Hashtable warning in result.Warnings)
            {
                Runtime.WriteWarning((warning["message"] + " " + warning["recommendedAction"]).TrimEnd());
            }
        }

        /// <summary>What the host is told of a change that was made before a stop took effect.</summary>
        internal virtual string Done(Hashtable value)
        {
            return null;
        }

        private bool Check(NativeResult result)
        {
            Runtime.WriteDiagnostics(result);
            if (result.Failed)
            {
                Runtime.WriteError(result, Input);
            }

            return !result.Failed;
        }
    }
}
