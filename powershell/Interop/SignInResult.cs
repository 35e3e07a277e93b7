using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What became of an attempt to sign in.</summary>
    public sealed class SignInResult
    {
        internal SignInResult(Hashtable item)
        {
            Identity = Field.Text(item, "identity");
            PrimarySmtpAddress = Field.Text(item, "primarySmtpAddress");
            Outcome = Field.Word(item, "outcome");
            AttemptsUntilReset = Field.Number(item, "attemptsUntilReset");
            AttemptsUntilLock = Field.Number(item, "attemptsUntilLock");
            FirstTimeUser = item["firstTimeUser"] as bool?;
            PinExpiresOn = Field.Time(item, "pinExpiresOn");
            Notification = Field.Text(item, "notification");
            DisplayName = Field.Text(item, "displayName");
            DistinguishedName = Field.Text(item, "distinguishedName");
            Guid = Field.Id(item, "guid");
        }

        /// <summary>The canonical name.</summary>
        public string Identity { get; set; }

        /// <summary>The primary SMTP address, or null.</summary>
        public string PrimarySmtpAddress { get; set; }

        /// <summary>Accepted, ChangeRequired, Rejected, ResetByFailures or Locked.</summary>
        public string Outcome { get; set; }

        /// <summary>How many wrong PINs more lead to a reset; null: the policy has no limit.</summary>
        public int? AttemptsUntilReset { get; set; }

        /// <summary>How many wrong PINs more lead to a lock; null: the policy has no limit.</summary>
        public int? AttemptsUntilLock { get; set; }

        /// <summary>Whether the user has yet to choose a PIN; null unless the PIN was right.</summary>
        public bool? FirstTimeUser { get; set; }

        /// <summary>When the PIN expires; null unless the PIN was right.</summary>
        public DateTime? PinExpiresOn { get; set; }

        /// <summary>What became of the message about a reset, or null.</summary>
        public string Notification { get; set; }

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
