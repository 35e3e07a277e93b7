using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The audit log, page by page: each is checked where it is read, and the last one says what became of each chain.</summary>
    public sealed class AuditLog
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly string path;
        private readonly Hashtable request = new Hashtable();
        // What is asked for with wildcards is compared here; the library compares whole texts.
        private readonly Hashtable patterns = new Hashtable();

        /// <summary>Of the directory, or where there is a path of the export in that file.</summary>
        public AuditLog(CommandRuntime runtime, Connection connection, string path)
        {
            this.runtime = runtime;
            this.connection = connection;
            this.path = string.IsNullOrEmpty(path) ? null : path;
        }

        /// <summary>Only what was done at this time or later.</summary>
        public void Since(DateTime date)
        {
            request["since"] = Milliseconds(date);
        }

        /// <summary>Only what was done at this time or earlier.</summary>
        public void Until(DateTime date)
        {
            request["until"] = Milliseconds(date);
        }

        /// <summary>Only what has this text, which may have wildcards, in this member. Blank: all.</summary>
        public void Where(string member, string text)
        {
            if (string.IsNullOrEmpty(text))
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

        /// <summary>The entries of all mailboxes, and what the check finds. An error is about the target.</summary>
        public IEnumerable Read(object target, Unlimited resultSize)
        {
            return new Output(runtime, ReadAll((Hashtable)request.Clone(), target, resultSize));
        }

        /// <summary>The entries of the mailbox that the input names.</summary>
        public IEnumerable ReadOf(object input, Unlimited resultSize)
        {
            return new Output(runtime, ReadMailbox(input, resultSize));
        }

        /// <summary>Writes the whole log to the file, and with the object given that.</summary>
        public IEnumerable Export(object target, bool force, object file)
        {
            return new Output(runtime, ExportAll(target, force, file));
        }

        private IEnumerable ReadMailbox(object input, Unlimited resultSize)
        {
            Hashtable page = (Hashtable)request.Clone();
            if (IdentityCandidates.Put(page, "target", input))
            {
                return ReadAll(page, input, resultSize);
            }

            runtime.WriteError(Answer.NoIdentity("an object"), input);
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

            Answer answer;
            do
            {
                answer = connection.Send(runtime, page);
                runtime.ThrowIfStopping();
                runtime.WriteDiagnostics(answer);
                if (answer.Failed)
                {
                    runtime.WriteError(answer, input);
                    yield break;
                }

                bool cut = false;
                foreach (Hashtable item in answer.Items)
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

                WriteFaults(answer);
                if (cut)
                {
                    runtime.WriteWarning(
                        "Only the first " + resultSize + " results are shown, and the log was not checked to its end. "
                        + "Use -ResultSize with a larger number, or a parameter that narrows the result.");
                    yield break;
                }

                page["after"] = answer.Value == null ? null : answer.Value["next"];
            }
            while (page["after"] != null);
            WriteChains(answer);
        }

        private IEnumerable ExportAll(object target, bool force, object file)
        {
            Hashtable export = new Hashtable();
            export["operation"] = "auditExport";
            export["path"] = path;
            if (force)
            {
                export["force"] = true;
            }

            Answer answer = connection.Send(runtime, export);
            if (runtime.Stopping && answer.Value != null)
            {
                runtime.Tell("The audit log was exported to \"" + path + "\" before the stop took effect.");
            }

            runtime.ThrowIfStopping();
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                runtime.WriteError(answer, target);
                yield break;
            }

            if (file != null)
            {
                yield return file;
            }

            WriteFaults(answer);
            runtime.WriteVerbose(answer.Value["entries"] + " entries were exported to \"" + path + "\".");
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
        private void WriteFaults(Answer answer)
        {
            foreach (Hashtable fault in Field.List(answer.Value, "faults"))
            {
                Hashtable details = fault["details"] as Hashtable;
                runtime.WriteError(ErrorCatalogue.Record(runtime.Engine, fault, details == null ? null : details["host"]));
            }
        }

        private void WriteChains(Answer answer)
        {
            foreach (Hashtable chain in Field.List(answer.Value, "chains"))
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
