using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>A mailbox that is enabled for Unified Messaging.</summary>
    public sealed class UMMailbox
    {
        internal UMMailbox(Hashtable item)
        {
            Identity = Field.Text(item, "identity");
            Name = Field.Text(item, "name");
            DisplayName = Field.Text(item, "displayName");
            Alias = Field.Text(item, "alias");
            SamAccountName = Field.Text(item, "samAccountName");
            UserPrincipalName = Field.Text(item, "userPrincipalName");
            PrimarySmtpAddress = Field.Text(item, "primarySmtpAddress");
            EmailAddresses = Field.Texts(item, "emailAddresses");
            LegacyExchangeDN = Field.Text(item, "legacyExchangeDN");
            UMEnabled = Field.Flag(item, "umEnabled");
            DistinguishedName = Field.Text(item, "distinguishedName");
            Guid = Field.Id(item, "guid");
            Extensions = Field.Texts(item, "extensions");
            UMMailboxPolicy = Field.Text(item, "umMailboxPolicy");
        }

        /// <summary>The canonical name.</summary>
        public string Identity { get; set; }

        /// <summary>The name.</summary>
        public string Name { get; set; }

        /// <summary>The display name, or null.</summary>
        public string DisplayName { get; set; }

        /// <summary>The alias, or null.</summary>
        public string Alias { get; set; }

        /// <summary>The account name, or null.</summary>
        public string SamAccountName { get; set; }

        /// <summary>The user principal name, or null.</summary>
        public string UserPrincipalName { get; set; }

        /// <summary>The primary SMTP address, or null.</summary>
        public string PrimarySmtpAddress { get; set; }

        /// <summary>All addresses, with their kinds.</summary>
        public string[] EmailAddresses { get; set; }

        /// <summary>The legacy distinguished name, or null.</summary>
        public string LegacyExchangeDN { get; set; }

        /// <summary>Whether the mailbox is enabled for Unified Messaging.</summary>
        public bool UMEnabled { get; set; }

        /// <summary>The distinguished name.</summary>
        public string DistinguishedName { get; set; }

        /// <summary>The object's GUID.</summary>
        public Guid? Guid { get; set; }

        /// <summary>The telephone extensions.</summary>
        public string[] Extensions { get; set; }

        /// <summary>The policy's name, or null.</summary>
        public string UMMailboxPolicy { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return Identity ?? "";
        }
    }
}
