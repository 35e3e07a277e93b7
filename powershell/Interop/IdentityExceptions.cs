using System;
using System.Runtime.Serialization;

namespace UMMailboxPin
{
    /// <summary>No object has the identity given.</summary>
    [Serializable]
    public sealed class ManagementObjectNotFoundException : Exception
    {
        /// <summary>With a message.</summary>
        public ManagementObjectNotFoundException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public ManagementObjectNotFoundException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private ManagementObjectNotFoundException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>More than one object has the identity given.</summary>
    [Serializable]
    public sealed class ManagementObjectAmbiguousException : Exception
    {
        /// <summary>With a message.</summary>
        public ManagementObjectAmbiguousException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public ManagementObjectAmbiguousException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private ManagementObjectAmbiguousException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The mailbox exists but is not enabled for Unified Messaging.</summary>
    [Serializable]
    public sealed class MailboxNotUMEnabledException : Exception
    {
        /// <summary>With a message.</summary>
        public MailboxNotUMEnabledException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public MailboxNotUMEnabledException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private MailboxNotUMEnabledException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }
}
