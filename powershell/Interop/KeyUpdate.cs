using System;
using System.Collections;
using System.Collections.Generic;

namespace UMMailboxPin
{
    /// <summary>One call of Update-UMPinKey: what is to be done, and then all of its steps.</summary>
    public sealed class KeyUpdate : ConfirmedChange
    {
        private const string Activity = "Sealing PINs under the new key";
        private readonly Progress progress;
        private readonly Hashtable request = new Hashtable();
        private readonly List<string> problems = new List<string>();

        /// <summary>Opens the directory.</summary>
        public KeyUpdate(CommandRuntime runtime) : base(runtime, Open(runtime))
        {
            progress = new Progress(runtime, Activity);
            request["operation"] = "updateKey";
            request["cmdlet"] = "Update-UMPinKey";
            request["newKeyOnly"] = Parameters.IsTrue(runtime.Bound["NewKeyOnly"]);
            request["resealOnly"] = Parameters.IsTrue(runtime.Bound["ResealOnly"]);
            if (runtime.Bound.Contains("MaximumPerSecond"))
            {
                request["perSecond"] = Convert.ToInt32(runtime.Bound["MaximumPerSecond"]);
            }
        }

        private static SessionCache Open(CommandRuntime runtime)
        {
            if (Parameters.IsTrue(runtime.Bound["NewKeyOnly"]) && Parameters.IsTrue(runtime.Bound["ResealOnly"]))
            {
                runtime.Terminate(runtime.NewError(
                    "InvalidParameterCombination",
                    "NewKeyOnly cannot be combined with ResealOnly: either a key is made or none is.", "Use one of them.", null));
            }

            return SessionCache.OpenDirectory(runtime);
        }

        internal override string LookUp()
        {
            Hashtable question = (Hashtable)request.Clone();
            question["whatIf"] = true;
            NativeResult result;
            return TrySend(question, out result) ? Describe(result.Value) : null;
        }

        private string Describe(Hashtable plan)
        {
            string key = plan["keyId"] == null ? "a new key" : "the key " + plan["keyId"] + " (" + plan["path"] + ")";
            if (true.Equals(request["newKeyOnly"]))
            {
                return plan["keyId"] == null ? "Making a new key file, which waits to become active." : "Nothing: " + key + " waits already.";
            }

            string[] replaced = Array.ConvertAll(Field.List(plan, "replaced"), delegate(object one)
            {
                Hashtable former = (Hashtable)one;
                return former["keyId"] + " (" + former["path"] + ")";
            });
            string text = "Sealing every PIN record, counter, queued message and audit head in the directory under " + key;
            return text + (replaced.Length == 0 ? "." : ", which replaces the key " + string.Join(" and the key ", replaced) + ".");
        }

        // One object is written in the end.
        internal override IEnumerable Commit()
        {
            Hashtable last = null;
            bool made = false;
            long? total = null;
            try
            {
                do
                {
                    NativeResult result = Cache.Send(Runtime, request);
                    if (Runtime.Stopping)
                    {
                        if (last != null)
                        {
                            Runtime.Tell("Update-UMPinKey was stopped. Run it again: it goes on with what is left.");
                        }

                        Runtime.ThrowIfStopping();
                    }

                    Runtime.WriteDiagnostics(result);
                    if (result.Failed)
                    {
                        Runtime.WriteError(result, null);
                        yield break;
                    }

                    last = result.Value;
                    made |= Field.Flag(last, "made");
                    total = total ?? Field.LongNumber(last, "total");
                    Note(last);
                    request["after"] = last["next"];
                    if (last["next"] != null)
                    {
                        string of = total == null ? "" : " of " + total;
                        progress.Show("{0}" + of + " PIN records", Convert.ToInt32(last["records"]));
                    }
                }
                while (request["after"] != null);
            }
            finally
            {
                progress.End();
            }

            foreach (Hashtable warning in Field.List(last, "warnings"))
            {
                Runtime.WriteWarning((warning["message"] + " " + warning["recommendedAction"]).TrimEnd());
            }

            foreach (string problem in problems)
            {
                Runtime.WriteWarning(problem);
            }

            if (!true.Equals(request["newKeyOnly"]) && !Field.Flag(last, "complete"))
            {
                Runtime.WriteWarning(
                    "Something may still be sealed under a former key, so no key file can be removed. Run Update-UMPinKey -ResealOnly "
                    + "when the cause is corrected.");
            }

            yield return new KeyUpdateResult(last, made);
        }

        private void Note(Hashtable step)
        {
            foreach (Hashtable problem in Field.List(step, "problems"))
            {
                string text = "\"" + problem["identity"] + "\": " + problem["message"];
                if (!problems.Contains(text))
                {
                    problems.Add(text);
                }
            }
        }
    }
}
