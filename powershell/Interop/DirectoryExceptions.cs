using System;
using System.Runtime.Serialization;

namespace UMMailboxPin
{
    /// <summary>The family of failures of the directory that holds the mailboxes.</summary>
    [Serializable]
    public class DirectoryException : Exception
    {
        /// <summary>With a message.</summary>
        public DirectoryException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public DirectoryException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        protected DirectoryException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The store or server cannot be reached, read or written.</summary>
    [Serializable]
    public sealed class DirectoryUnavailableException : DirectoryException
    {
        /// <summary>With a message.</summary>
        public DirectoryUnavailableException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public DirectoryUnavailableException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private DirectoryUnavailableException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>Other writers kept changing the mailbox.</summary>
    [Serializable]
    public sealed class DirectoryWriteConflictException : DirectoryException
    {
        /// <summary>With a message.</summary>
        public DirectoryWriteConflictException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public DirectoryWriteConflictException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private DirectoryWriteConflictException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The mailbox or the recipient of the message is no longer what was confirmed.</summary>
    [Serializable]
    public sealed class TargetChangedException : DirectoryException
    {
        /// <summary>With a message.</summary>
        public TargetChangedException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public TargetChangedException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private TargetChangedException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>It cannot be known whether the change was made.</summary>
    [Serializable]
    public sealed class DirectoryOutcomeUnknownException : DirectoryException
    {
        /// <summary>With a message.</summary>
        public DirectoryOutcomeUnknownException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public DirectoryOutcomeUnknownException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private DirectoryOutcomeUnknownException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The account lacks the rights.</summary>
    [Serializable]
    public sealed class AccessDeniedException : DirectoryException
    {
        /// <summary>With a message.</summary>
        public AccessDeniedException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public AccessDeniedException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private AccessDeniedException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The object lies outside the scope that may be written.</summary>
    [Serializable]
    public sealed class OutsideScopeException : DirectoryException
    {
        /// <summary>With a message.</summary>
        public OutsideScopeException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public OutsideScopeException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private OutsideScopeException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }
}
