using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>A Unified Messaging mailbox policy with its rules for PINs.</summary>
    public sealed class UMMailboxPolicy
    {
        internal UMMailboxPolicy(Hashtable item)
        {
            Identity = Field.Text(item, "identity");
            Name = Field.Text(item, "name");
            MinPINLength = Field.Number(item, "minPINLength");
            PINLifetime = item["pinLifetimeDays"] ?? "Unlimited";
            PINHistoryCount = Field.Number(item, "pinHistoryCount");
            AllowCommonPatterns = Field.Flag(item, "allowCommonPatterns");
            LogonFailuresBeforePINReset = item["logonFailuresBeforePINReset"] ?? "Unlimited";
            MaxLogonAttempts = item["maxLogonAttempts"] ?? "Unlimited";
            ResetPINText = Field.Text(item, "resetPINText");
            DistinguishedName = Field.Text(item, "distinguishedName");
            Guid = Field.Id(item, "guid");
        }

        /// <summary>The policy's identity.</summary>
        public string Identity { get; set; }

        /// <summary>The name.</summary>
        public string Name { get; set; }

        /// <summary>The least number of digits.</summary>
        public int? MinPINLength { get; set; }

        /// <summary>Days until a PIN expires, or Unlimited.</summary>
        public object PINLifetime { get; set; }

        /// <summary>How many PINs, the current one included, may not be used again.</summary>
        public int? PINHistoryCount { get; set; }

        /// <summary>Whether runs and repeated digits are allowed.</summary>
        public bool AllowCommonPatterns { get; set; }

        /// <summary>Wrong PINs until a reset, or Unlimited.</summary>
        public object LogonFailuresBeforePINReset { get; set; }

        /// <summary>Wrong PINs until a lock, or Unlimited.</summary>
        public object MaxLogonAttempts { get; set; }

        /// <summary>What each message with a PIN says besides, or null.</summary>
        public string ResetPINText { get; set; }

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
