using System;
using System.Collections;
using System.Collections.Generic;

namespace UMMailboxPin
{
    /// <summary>One call of Update-UMPinKey: what is to be done, and then all of its steps.</summary>
    public sealed class KeyUpdate
    {
        private const string Activity = "Sealing PINs under the new key";
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly Progress progress;
        private readonly Hashtable request = new Hashtable();
        private readonly List<string> problems = new List<string>();

        /// <summary>Nothing is asked of the library yet.</summary>
        public KeyUpdate(CommandRuntime runtime, Connection connection, bool newKeyOnly, bool resealOnly, int perSecond)
        {
            this.runtime = runtime;
            this.connection = connection;
            progress = new Progress(runtime, Activity);
            request["operation"] = "updateKey";
            request["cmdlet"] = "Update-UMPinKey";
            request["newKeyOnly"] = newKeyOnly;
            request["resealOnly"] = resealOnly;
            if (perSecond > 0)
            {
                request["perSecond"] = perSecond;
            }
        }

        /// <summary>What -WhatIf and -Confirm show; null: it cannot be done, and the error is written.</summary>
        public string Sentence { get; private set; }

        /// <summary>Asks what would be done.</summary>
        public IEnumerable Plan()
        {
            return new Output(runtime, LookAhead());
        }

        /// <summary>Does it, and writes one object in the end.</summary>
        public IEnumerable Run()
        {
            return new Output(runtime, RunAll());
        }

        private IEnumerable LookAhead()
        {
            Hashtable question = (Hashtable)request.Clone();
            question["whatIf"] = true;
            Answer answer = connection.Send(runtime, question);
            runtime.ThrowIfStopping();
            if (answer.Failed)
            {
                runtime.WriteError(answer, null);
                yield break;
            }

            Sentence = Describe(answer.Value);
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

        private IEnumerable RunAll()
        {
            Hashtable last = null;
            bool made = false;
            long? total = null;
            try
            {
                do
                {
                    Answer answer = connection.Send(runtime, request);
                    if (runtime.Stopping)
                    {
                        if (last != null)
                        {
                            runtime.Tell("Update-UMPinKey was stopped. Run it again: it goes on with what is left.");
                        }

                        runtime.ThrowIfStopping();
                    }

                    runtime.WriteDiagnostics(answer);
                    if (answer.Failed)
                    {
                        runtime.WriteError(answer, null);
                        yield break;
                    }

                    last = answer.Value;
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
                runtime.WriteWarning((warning["message"] + " " + warning["recommendedAction"]).TrimEnd());
            }

            foreach (string problem in problems)
            {
                runtime.WriteWarning(problem);
            }

            if (!true.Equals(request["newKeyOnly"]) && !Field.Flag(last, "complete"))
            {
                runtime.WriteWarning(
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
