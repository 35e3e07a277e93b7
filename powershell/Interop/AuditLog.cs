using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The audit log, page by page: each is checked where it is read, and the last one says what became of each chain.</summary>
    public sealed class AuditLog
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        private readonly CommandRuntime runtime;
        private readonly SessionCache cache;
        private readonly string path;
        private readonly Hashtable request = new Hashtable();
        // What is asked for with wildcards is compared here; the library compares whole texts.
        private readonly Hashtable patterns = new Hashtable();

        /// <summary>Of the directory, or with -Path of the export in that file, which is read where there is no directory, too.</summary>
        public AuditLog(CommandRuntime runtime)
        {
            this.runtime = runtime;
            string given = Convert.ToString(runtime.Bound["Path"]);
            if (given.Length == 0)
            {
                cache = SessionCache.OpenDirectory(runtime);
            }
            else
            {
                cache = SessionCache.Open(runtime);
                path = FilePath.OfAudit(runtime, given);
            }

            Limit("since", "StartDate");
            Limit("until", "EndDate");
            Match("caller", Convert.ToString(runtime.Bound["Caller"]));
            Match("cmdlet", Convert.ToString(runtime.Bound["Cmdlet"]));
            Match("action", Convert.ToString(runtime.Bound["Action"]));
            Match("outcome", Convert.ToString(runtime.Bound["Outcome"]).ToLowerInvariant());
        }

        /// <summary>
        /// The entries of the mailbox that was named, or of all, and what the check finds; nothing where the pipeline is to name one.
        /// </summary>
        public IEnumerable Process(Unlimited resultSize)
        {
            return new Output(runtime, Select(resultSize));
        }

        private IEnumerable Select(Unlimited resultSize)
        {
            if (runtime.Bound.Contains("Identity"))
            {
                return ReadMailbox(Parameters.Identity(runtime.Bound), resultSize);
            }

            return runtime.ExpectingInput ? new object[0] : ReadAll((Hashtable)request.Clone(), runtime.Bound["Path"], resultSize);
        }

        // Only what was done from or until this time.
        private void Limit(string member, string parameter)
        {
            if (runtime.Bound.Contains(parameter))
            {
                request[member] = Milliseconds((DateTime)runtime.Bound[parameter]);
            }
        }

        // Only what has this text, which may have wildcards, in this member. Blank: all.
        private void Match(string member, string text)
        {
            if (text.Length == 0)
            {
                return;
            }

            Func<string, bool> pattern = runtime.Engine.Wildcard(text);
            if (pattern == null)
            {
                request[member] = text;
            }
            else
            {
                patterns[member] = pattern;
            }
        }

        private IEnumerable ReadMailbox(object input, Unlimited resultSize)
        {
            Hashtable page = (Hashtable)request.Clone();
            if (IdentityCandidates.Put(page, "target", input))
            {
                return ReadAll(page, input, resultSize);
            }

            runtime.WriteError(NativeResult.NoIdentity("an object"), input);
            return new object[0];
        }

        private IEnumerable ReadAll(Hashtable page, object input, Unlimited resultSize)
        {
            ulong left = resultSize == null ? ulong.MaxValue : resultSize.Value;
            page["operation"] = "audit";
            if (path != null)
            {
                page["path"] = path;
            }

            NativeResult result;
            do
            {
                result = cache.Send(runtime, page);
                runtime.ThrowIfStopping();
                runtime.WriteDiagnostics(result);
                if (result.Failed)
                {
                    runtime.WriteError(result, input);
                    yield break;
                }

                bool cut = false;
                foreach (Hashtable item in result.Items)
                {
                    if (!Matches(item))
                    {
                        continue;
                    }

                    cut = left == 0;
                    if (cut)
                    {
                        break;
                    }

                    left--;
                    yield return new AuditEntry(
                        item, runtime.Engine.Custom(item["parameters"]), runtime.Engine.Custom(item["result"]),
                        runtime.Engine.Custom(item["details"]));
                }

                WriteFaults(runtime, result);
                if (cut)
                {
                    runtime.WriteWarning(
                        "Only the first " + resultSize + " results are shown, and the log was not checked to its end. "
                        + "Use -ResultSize with a larger number, or a parameter that narrows the result.");
                    yield break;
                }

                page["after"] = result.Value == null ? null : result.Value["next"];
            }
            while (page["after"] != null);
            WriteChains(result);
        }

        private bool Matches(Hashtable item)
        {
            foreach (DictionaryEntry pattern in patterns)
            {
                if (!((Func<string, bool>)pattern.Value)(Convert.ToString(item[pattern.Key])))
                {
                    return false;
                }
            }

            return true;
        }

        // One error for each broken chain; the library names each once.
        internal static void WriteFaults(CommandRuntime runtime, NativeResult result)
        {
            foreach (Hashtable fault in Field.List(result.Value, "faults"))
            {
                Hashtable details = fault["details"] as Hashtable;
                runtime.WriteError(ErrorCatalogue.Record(fault, details == null ? null : details["host"]));
            }
        }

        private void WriteChains(NativeResult result)
        {
            foreach (Hashtable chain in Field.List(result.Value, "chains"))
            {
                string name = "The audit chain of host \"" + chain["host"] + "\"";
                string state = Field.Text(chain, "state");
                if (state == "tornTail")
                {
                    runtime.WriteWarning(
                        name + " ends in the middle of an entry: writing or copying it was interrupted. What is there is intact.");
                }

                long removed = Field.LongNumber(chain, "removed") ?? 0;
                if (removed > 0)
                {
                    string text = string.Format(
                        "{0} begins after {1:g}: {2} entries that were older have been removed, as the configuration wants it.",
                        name, Field.Time(chain, "removedUntil"), removed);
                    long? until = Field.LongNumber(chain, "removedUntil");
                    if (until != null && request.Contains("since") && (long)request["since"] <= until.Value)
                    {
                        runtime.WriteWarning(text);
                    }
                    else
                    {
                        runtime.WriteVerbose(text);
                    }
                }
            }
        }

        private static long Milliseconds(DateTime date)
        {
            return (long)Math.Floor((date.ToUniversalTime() - Epoch).TotalMilliseconds);
        }
    }
}
