using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>A queued message with a PIN. Neither the recipient nor the PIN is told.</summary>
    public sealed class Notification
    {
        internal Notification(Hashtable item)
        {
            Identity = Field.Text(item, "identity");
            State = Field.Word(item, "state");
            QueuedSince = Field.Time(item, "queuedSince");
            Attempts = Field.Number(item, "attempts");
            NextAttempt = Field.Time(item, "nextAttempt");
            ExpiresOn = Field.Time(item, "expiresOn");
            LastError = Field.Text(item, "lastError");
            Guid = Field.Id(item, "guid");
            MessageId = Field.Text(item, "id");
        }

        /// <summary>The canonical name; null: the mailbox is gone.</summary>
        public string Identity { get; set; }

        /// <summary>Queued, Unconfirmed or Expired.</summary>
        public string State { get; set; }

        /// <summary>When it was queued.</summary>
        public DateTime? QueuedSince { get; set; }

        /// <summary>How often it was tried.</summary>
        public int? Attempts { get; set; }

        /// <summary>When it is tried again, or null.</summary>
        public DateTime? NextAttempt { get; set; }

        /// <summary>When it is given up, or null.</summary>
        public DateTime? ExpiresOn { get; set; }

        /// <summary>Why the last attempt failed, or null.</summary>
        public string LastError { get; set; }

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
