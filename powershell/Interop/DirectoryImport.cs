using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>One import of a file into the embedded directory.</summary>
    public sealed class DirectoryImport : ConfirmedChange
    {
        private readonly string file;
        private readonly Hashtable request = new Hashtable();

        /// <summary>Opens a session. It needs no directory: this is the command that makes it.</summary>
        public DirectoryImport(CommandRuntime runtime) : base(runtime, SessionCache.Open(runtime))
        {
            file = FilePath.OfImport(runtime, Convert.ToString(runtime.Bound["Path"]));
            request["operation"] = "import";
            request["path"] = file;
            string policy = Convert.ToString(runtime.Bound["DefaultPolicy"]);
            if (policy.Length > 0)
            {
                request["defaultPolicy"] = policy;
            }

            Parameters.AddSwitch(request, runtime.Bound, "SkipInvalid");
        }

        // What the import would do is found out under -WhatIf, and where ShouldProcess would ask.
        internal override string LookUp()
        {
            if (!Runtime.WhatIf && !Runtime.Asks)
            {
                return "Importing mailboxes from file \"" + file + "\" into the directory.";
            }

            Hashtable trial = (Hashtable)request.Clone();
            trial["whatIf"] = true;
            NativeResult result;
            if (!TrySend(trial, out result))
            {
                return null;
            }

            string sentence = Describe(result.Value);
            if (Runtime.WhatIf)
            {
                WriteDetails(result.Value);
                WriteWarnings(result.Value, true);
            }

            return sentence;
        }

        internal override object Input
        {
            get { return Runtime.Bound["Path"]; }
        }

        internal override IEnumerable Commit()
        {
            NativeResult result;
            if (!TryCommit(request, out result))
            {
                yield break;
            }

            if (Parameters.IsTrue(Runtime.Bound["PassThru"]))
            {
                yield return new ImportResult(result.Value);
            }

            WriteDetails(result.Value);
            WriteWarnings(result.Value, false);
        }

        internal override string Done(Hashtable value)
        {
            return "The import was committed before the stop took effect. " + Describe(value);
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
                Runtime.WriteVerbose("Line " + row["line"] + ": " + row["message"]);
            }

            object[] changes = Field.List(counts, "changes");
            foreach (Hashtable row in changes)
            {
                Runtime.WriteVerbose(
                    "Line " + row["line"] + ": mailbox \"" + row["identity"] + "\" changes in "
                    + string.Join(", ", Field.Texts(row, "properties")) + ".");
            }

            long more = Convert.ToInt64(counts["mailboxesUpdated"]) - changes.Length;
            if (more > 0)
            {
                Runtime.WriteVerbose("And " + more + " more mailboxes change.");
            }
        }

        private void WriteWarnings(Hashtable counts, bool trial)
        {
            foreach (Hashtable row in Field.List(counts, "skipped"))
            {
                Runtime.WriteEachWarning("Line " + row["line"] + " of \"" + file + "\" was left out: " + row["message"]);
            }

            foreach (Hashtable row in Field.List(counts, "notices"))
            {
                Runtime.WriteEachWarning("Line " + row["line"] + " of \"" + file + "\": " + row["message"]);
            }

            string[] ignored = Field.Texts(counts, "ignoredColumns");
            if (ignored.Length > 0)
            {
                Runtime.WriteWarning("Columns that are not known and were ignored: " + string.Join(", ", ignored) + ".");
            }

            // Rules that nobody decided on. Policies and users lie in different parts of a forest, so an LDIF export may lack them too.
            string[] madeUp = Field.Texts(counts, "policiesDefaulted");
            if (madeUp.Length > 0)
            {
                Runtime.WriteWarning(
                    (trial ? "Policies to be created: " : "Policies created: ") + string.Join(", ", madeUp)
                    + (trial ? ". They will have" : ". They have") + " the default settings; see Get-UMMailboxPolicy.");
            }
        }
    }
}
