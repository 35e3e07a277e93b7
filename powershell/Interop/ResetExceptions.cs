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

    /// <summary>No message can be delivered as things are configured, so nothing was changed.</summary>
    [Serializable]
    public sealed class NotificationUnavailableException : Exception
    {
        /// <summary>With a message.</summary>
        public NotificationUnavailableException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public NotificationUnavailableException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private NotificationUnavailableException(SerializationInfo info, StreamingContext context) : base(info, context) { }
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
