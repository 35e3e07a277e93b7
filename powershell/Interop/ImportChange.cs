using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>A mailbox that an import changed.</summary>
    public sealed class ImportChange
    {
        internal ImportChange(Hashtable item)
        {
            Line = Field.Number(item, "line");
            Identity = Field.Text(item, "identity");
            Properties = Field.Texts(item, "properties");
        }

        /// <summary>The line of the row.</summary>
        public int? Line { get; set; }

        /// <summary>What named the mailbox before.</summary>
        public string Identity { get; set; }

        /// <summary>The properties that changed.</summary>
        public string[] Properties { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return Identity + ": " + string.Join(", ", Properties);
        }
    }
}
