using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What an import changed.</summary>
    public sealed class ImportResult
    {
        internal ImportResult(Hashtable item)
        {
            MailboxesCreated = Field.Number(item, "mailboxesCreated");
            MailboxesUpdated = Field.Number(item, "mailboxesUpdated");
            MailboxesUnchanged = Field.Number(item, "mailboxesUnchanged");
            Hashtable changed = item["propertiesChanged"] as Hashtable;
            PropertiesChanged = changed == null ? new string[0] : Names(changed);
            Changes = Array.ConvertAll(
                Field.List(item, "changes"), delegate(object row) { return new ImportChange((Hashtable)row); });
            PoliciesCreated = Field.Texts(item, "policiesCreated");
            PoliciesUpdated = Field.Texts(item, "policiesUpdated");
            SkippedLines = Array.ConvertAll(
                Field.List(item, "skipped"), delegate(object row) { return Convert.ToInt32(((Hashtable)row)["line"]); });
            Location = Field.Text(item, "location");
        }

        /// <summary>How many mailboxes were created.</summary>
        public int? MailboxesCreated { get; set; }

        /// <summary>How many mailboxes were updated.</summary>
        public int? MailboxesUpdated { get; set; }

        /// <summary>How many mailboxes were as the file has them.</summary>
        public int? MailboxesUnchanged { get; set; }

        /// <summary>The properties in which mailboxes were updated.</summary>
        public string[] PropertiesChanged { get; set; }

        /// <summary>The first thousand mailboxes that were updated, and in which properties.</summary>
        public ImportChange[] Changes { get; set; }

        /// <summary>The policies that were created.</summary>
        public string[] PoliciesCreated { get; set; }

        /// <summary>The policies that were updated.</summary>
        public string[] PoliciesUpdated { get; set; }

        /// <summary>The lines that were left out.</summary>
        public int[] SkippedLines { get; set; }

        /// <summary>The directory.</summary>
        public string Location { get; set; }

        internal static string[] Names(Hashtable changed)
        {
            string[] names = new string[changed.Count];
            changed.Keys.CopyTo(names, 0);
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }

        /// <inheritdoc/>
        public override string ToString()
        {
            return string.Format(
                "{0} mailboxes created, {1} updated, {2} unchanged in {3}",
                MailboxesCreated, MailboxesUpdated, MailboxesUnchanged, Location);
        }
    }
}
