using System;
using System.Runtime.Serialization;

namespace UMMailboxPin
{
    /// <summary>The audit log was tampered with.</summary>
    [Serializable]
    public sealed class AuditChainBrokenException : Exception
    {
        /// <summary>With a message.</summary>
        public AuditChainBrokenException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public AuditChainBrokenException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private AuditChainBrokenException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>A file exists already, is missing, or is no audit log.</summary>
    [Serializable]
    public sealed class AuditFileUnusableException : ArgumentException
    {
        /// <summary>With a message.</summary>
        public AuditFileUnusableException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public AuditFileUnusableException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private AuditFileUnusableException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }
}
