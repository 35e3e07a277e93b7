using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What Update-UMPinKey did.</summary>
    public sealed class KeyUpdateResult
    {
        internal KeyUpdateResult(Hashtable item, bool made)
        {
            KeyId = Field.Text(item, "keyId");
            Path = Field.Text(item, "path");
            IsNew = made;
            Records = Field.LongNumber(item, "records");
            Counters = Field.LongNumber(item, "counters");
            Messages = Field.LongNumber(item, "messages");
            IsComplete = Field.Flag(item, "complete");
            RemovableFiles = Array.ConvertAll(
                Array.FindAll(Field.List(item, "replaced"), delegate(object one) { return Field.Flag((Hashtable)one, "removable"); }),
                delegate(object one) { return Field.Text((Hashtable)one, "path"); });
        }

        /// <summary>Names the key that seals from now on, or, after -NewKeyOnly, the one that waits.</summary>
        public string KeyId { get; set; }

        /// <summary>Its file.</summary>
        public string Path { get; set; }

        /// <summary>Whether this call made it.</summary>
        public bool IsNew { get; set; }

        /// <summary>PIN records that were sealed anew.</summary>
        public long? Records { get; set; }

        /// <summary>Counters of failed sign-ins that were sealed anew.</summary>
        public long? Counters { get; set; }

        /// <summary>Queued messages that were sealed anew.</summary>
        public long? Messages { get; set; }

        /// <summary>Whether everything is sealed under the key.</summary>
        public bool IsComplete { get; set; }

        /// <summary>Former key files that nothing in this directory needs any more.</summary>
        public string[] RemovableFiles { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return KeyId ?? "";
        }
    }
}
