using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>One import of a file into the embedded directory.</summary>
    public sealed class DirectoryImport
    {
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly string file;
        private readonly object target;
        private readonly Hashtable request = new Hashtable();

        /// <summary>Of the file, which the caller named as in <paramref name="target"/>.</summary>
        public DirectoryImport(
            CommandRuntime runtime, Connection connection, string file, object target, string defaultPolicy, bool skipInvalid)
        {
            this.runtime = runtime;
            this.connection = connection;
            this.file = file;
            this.target = target;
            request["operation"] = "import";
            request["path"] = file;
            if (!string.IsNullOrEmpty(defaultPolicy))
            {
                request["defaultPolicy"] = defaultPolicy;
            }

            if (skipInvalid)
            {
                request["skipInvalid"] = true;
            }
        }

        /// <summary>What -WhatIf and -Confirm show; null: the file cannot be imported.</summary>
        public string Sentence { get; private set; }

        /// <summary>Under -WhatIf, and where ShouldProcess would ask, finds out what the import would do.</summary>
        public IEnumerable Prepare()
        {
            return new Output(runtime, Try());
        }

        /// <summary>Imports, and where wanted writes the counts.</summary>
        public IEnumerable Commit(bool passThru)
        {
            return new Output(runtime, Import(passThru));
        }

        private IEnumerable Try()
        {
            if (!runtime.WhatIf && !runtime.Asks)
            {
                Sentence = "Importing mailboxes from file \"" + file + "\" into the directory.";
                yield break;
            }

            Hashtable trial = (Hashtable)request.Clone();
            trial["whatIf"] = true;
            Answer answer = connection.Send(runtime, trial);
            runtime.ThrowIfStopping();
            if (answer.Value == null)
            {
                runtime.WriteDiagnostics(answer);
                runtime.WriteError(answer, target);
                yield break;
            }

            Sentence = Describe(answer.Value);
            if (runtime.WhatIf)
            {
                WriteDetails(answer.Value);
                WriteWarnings(answer.Value, true);
            }
        }

        private IEnumerable Import(bool passThru)
        {
            Answer answer = connection.Send(runtime, request);
            if (runtime.Stopping && answer.Value != null)
            {
                runtime.Tell("The import was committed before the stop took effect. " + Describe(answer.Value));
            }

            runtime.ThrowIfStopping();
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                runtime.WriteError(answer, target);
                yield break;
            }

            if (passThru)
            {
                yield return new ImportResult(answer.Value);
            }

            WriteDetails(answer.Value);
            WriteWarnings(answer.Value, false);
        }

        private string Describe(Hashtable counts)
        {
            string[] policies = Field.Texts(counts, "policiesCreated");
            return string.Format(
                "Importing from file \"{0}\" into \"{1}\": {2} mailboxes created, {3} updated{7}, {4} unchanged; rows left out: {5}; "
                + "policies created: {6}.",
                file, counts["location"], counts["mailboxesCreated"], counts["mailboxesUpdated"], counts["mailboxesUnchanged"],
                Field.List(counts, "skipped").Length, policies.Length == 0 ? "none" : string.Join(", ", policies), Properties(counts));
        }

        // " (DisplayName: 2, Extensions: 1)"
        private static string Properties(Hashtable counts)
        {
            Hashtable changed = counts["propertiesChanged"] as Hashtable;
            if (changed == null || changed.Count == 0)
            {
                return string.Empty;
            }

            string[] names = ImportResult.Names(changed);
            return " (" + string.Join(", ", Array.ConvertAll(names, delegate(string name) { return name + ": " + changed[name]; })) + ")";
        }

        private void WriteDetails(Hashtable counts)
        {
            foreach (Hashtable row in Field.List(counts, "followed"))
            {
                runtime.WriteVerbose("Line " + row["line"] + ": " + row["message"]);
            }

            object[] changes = Field.List(counts, "changes");
            foreach (Hashtable row in changes)
            {
                runtime.WriteVerbose(
                    "Line " + row["line"] + ": mailbox \"" + row["identity"] + "\" changes in "
                    + string.Join(", ", Field.Texts(row, "properties")) + ".");
            }

            long more = Convert.ToInt64(counts["mailboxesUpdated"]) - changes.Length;
            if (more > 0)
            {
                runtime.WriteVerbose("And " + more + " more mailboxes change.");
            }
        }

        private void WriteWarnings(Hashtable counts, bool trial)
        {
            foreach (Hashtable row in Field.List(counts, "skipped"))
            {
                runtime.WriteEachWarning("Line " + row["line"] + " of \"" + file + "\" was left out: " + row["message"]);
            }

            foreach (Hashtable row in Field.List(counts, "notices"))
            {
                runtime.WriteEachWarning("Line " + row["line"] + " of \"" + file + "\": " + row["message"]);
            }

            string[] ignored = Field.Texts(counts, "ignoredColumns");
            if (ignored.Length > 0)
            {
                runtime.WriteWarning("Columns that are not known and were ignored: " + string.Join(", ", ignored) + ".");
            }

            // Rules that nobody decided on. Policies and users lie in different parts of a forest, so an LDIF export may lack them too.
            string[] madeUp = Field.Texts(counts, "policiesDefaulted");
            if (madeUp.Length > 0)
            {
                runtime.WriteWarning(
                    (trial ? "Policies to be created: " : "Policies created: ") + string.Join(", ", madeUp)
                    + (trial ? ". They will have" : ". They have") + " the default settings; see Get-UMMailboxPolicy.");
            }
        }
    }
}
