using System;
using System.Runtime.Serialization;

namespace UMMailboxPin
{
    /// <summary>The identity is empty or names nothing that could be a mailbox.</summary>
    [Serializable]
    public sealed class InvalidIdentityException : ArgumentException
    {
        /// <summary>With a message.</summary>
        public InvalidIdentityException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public InvalidIdentityException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private InvalidIdentityException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The notification address is not one well-formed address.</summary>
    [Serializable]
    public sealed class InvalidNotifyEmailException : ArgumentException
    {
        /// <summary>With a message.</summary>
        public InvalidNotifyEmailException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public InvalidNotifyEmailException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private InvalidNotifyEmailException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The message has no recipient.</summary>
    [Serializable]
    public sealed class NoNotificationAddressException : ArgumentException
    {
        /// <summary>With a message.</summary>
        public NoNotificationAddressException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public NoNotificationAddressException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private NoNotificationAddressException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>Parameters that exclude each other.</summary>
    [Serializable]
    public sealed class InvalidParameterCombinationException : ArgumentException
    {
        /// <summary>With a message.</summary>
        public InvalidParameterCombinationException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public InvalidParameterCombinationException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private InvalidParameterCombinationException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }
}
