using System;
using System.Collections;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>What became of a mailbox whose PIN was reset, or that was locked or unlocked.</summary>
    public sealed class ResetResult
    {
        internal ResetResult(Hashtable item, SecureString pin)
        {
            Identity = Field.Text(item, "identity");
            PrimarySmtpAddress = Field.Text(item, "primarySmtpAddress");
            PinExpired = Field.Flag(item, "pinExpired");
            LockedOut = Field.Flag(item, "lockedOut");
            Pin = pin;
            PinGenerated = Field.Flag(item, "pinGenerated");
            Notification = Field.Text(item, "notification");
            Recipient = Field.Text(item, "recipient");
            DisplayName = Field.Text(item, "displayName");
            DistinguishedName = Field.Text(item, "distinguishedName");
            Guid = Field.Id(item, "guid");
        }

        /// <summary>The canonical name.</summary>
        public string Identity { get; set; }

        /// <summary>The primary SMTP address, or null.</summary>
        public string PrimarySmtpAddress { get; set; }

        /// <summary>Whether the PIN must be changed at the next sign-in.</summary>
        public bool PinExpired { get; set; }

        /// <summary>Whether the mailbox is locked.</summary>
        public bool LockedOut { get; set; }

        /// <summary>The PIN that was generated, or null.</summary>
        public SecureString Pin { get; set; }

        /// <summary>Whether a PIN was generated.</summary>
        public bool PinGenerated { get; set; }

        /// <summary>What became of the message.</summary>
        public string Notification { get; set; }

        /// <summary>Whom the message is for, or null.</summary>
        public string Recipient { get; set; }

        /// <summary>The display name, or null.</summary>
        public string DisplayName { get; set; }

        /// <summary>The distinguished name.</summary>
        public string DistinguishedName { get; set; }

        /// <summary>The object's GUID.</summary>
        public Guid? Guid { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return Identity ?? "";
        }
    }
}
