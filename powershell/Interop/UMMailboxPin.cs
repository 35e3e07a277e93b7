using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The state of a mailbox's telephone PIN, which Get-UMMailboxPIN writes.</summary>
    public sealed class UMMailboxPin
    {
        internal UMMailboxPin(Hashtable item)
        {
            UserID = Field.Text(item, "userId");
            UserObjectId = Field.Text(item, "userObjectId");
            Identity = Field.Text(item, "identity");
            PinExpired = Field.Flag(item, "pinExpired");
            LockedOut = Field.Flag(item, "lockedOut");
            FirstTimeUser = Field.Flag(item, "firstTimeUser");
            ObjectState = "Unchanged";
            IsValid = Field.Flag(item, "isValid");
            LastSet = Field.Time(item, "lastSet");
            ExpiresOn = Field.Time(item, "expiresOn");
            FailedAttempts = Field.Number(item, "failedAttempts");
            LastFailedAttempt = Field.Time(item, "lastFailedAttempt");
            LockedSince = Field.Time(item, "lockedSince");
        }

        /// <summary>The primary SMTP address; of a mailbox without one its user principal name.</summary>
        public string UserID { get; set; }

        /// <summary>The object's identifier in the directory.</summary>
        public string UserObjectId { get; set; }

        /// <summary>The canonical name.</summary>
        public string Identity { get; set; }

        /// <summary>Whether the PIN must be changed at the next sign-in.</summary>
        public bool PinExpired { get; set; }

        /// <summary>Whether the mailbox is locked.</summary>
        public bool LockedOut { get; set; }

        /// <summary>Whether the user has yet to choose a PIN.</summary>
        public bool FirstTimeUser { get; set; }

        /// <summary>Always Unchanged, as of an object that was only read.</summary>
        public string ObjectState { get; set; }

        /// <summary>Whether the state could be read.</summary>
        public bool IsValid { get; set; }

        /// <summary>When the PIN was set; null: never.</summary>
        public DateTime? LastSet { get; set; }

        /// <summary>When the PIN expires; null: never, or there is none.</summary>
        public DateTime? ExpiresOn { get; set; }

        /// <summary>How many wrong PINs have been counted; null: not known.</summary>
        public int? FailedAttempts { get; set; }

        /// <summary>When the last wrong PIN was counted; null: none was.</summary>
        public DateTime? LastFailedAttempt { get; set; }

        /// <summary>Since when the mailbox is locked; null: it is not.</summary>
        public DateTime? LockedSince { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return Identity ?? "";
        }
    }
}
