using System;
using System.Runtime.Serialization;

namespace UMMailboxPin
{
    /// <summary>The PIN breaks rules of the mailbox policy, or the policy leaves no valid PIN.</summary>
    [Serializable]
    public sealed class PinPolicyViolationException : Exception
    {
        /// <summary>With a message.</summary>
        public PinPolicyViolationException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public PinPolicyViolationException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private PinPolicyViolationException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The PIN was changed, but its message could not be delivered.</summary>
    [Serializable]
    public sealed class NotificationFailedException : Exception
    {
        /// <summary>With a message.</summary>
        public NotificationFailedException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public NotificationFailedException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private NotificationFailedException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The native library is missing, does not fit, or failed in itself.</summary>
    [Serializable]
    public sealed class NativeLibraryException : Exception
    {
        /// <summary>With a message.</summary>
        public NativeLibraryException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public NativeLibraryException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private NativeLibraryException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }
}
