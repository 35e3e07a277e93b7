using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What became of a queued message that Send-UMPinNotification tried to send.</summary>
    public sealed class SentNotification
    {
        internal SentNotification(Hashtable item)
        {
            Identity = Field.Text(item, "identity");
            Outcome = Field.Word(item, "outcome");
            QueuedSince = Field.Time(item, "queuedSince");
            Attempts = Field.Number(item, "attempts");
            Reason = Field.Text(item, "reason");
            Guid = Field.Id(item, "guid");
            MessageId = Field.Text(item, "id");
        }

        /// <summary>The canonical name; null: the mailbox is gone.</summary>
        public string Identity { get; set; }

        /// <summary>Sent, Queued, Failed, Expired and the like.</summary>
        public string Outcome { get; set; }

        /// <summary>When it was queued.</summary>
        public DateTime? QueuedSince { get; set; }

        /// <summary>How often it was tried.</summary>
        public int? Attempts { get; set; }

        /// <summary>Why it was not sent, or null.</summary>
        public string Reason { get; set; }

        /// <summary>The mailbox's GUID, or null.</summary>
        public Guid? Guid { get; set; }

        /// <summary>The message's identifier.</summary>
        public string MessageId { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return Identity ?? "";
        }
    }
}
