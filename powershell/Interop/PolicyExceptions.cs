using System;
using System.Runtime.Serialization;

namespace UMMailboxPin
{
    /// <summary>An object of this name exists already.</summary>
    [Serializable]
    public sealed class ManagementObjectAlreadyExistsException : Exception
    {
        /// <summary>With a message.</summary>
        public ManagementObjectAlreadyExistsException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public ManagementObjectAlreadyExistsException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private ManagementObjectAlreadyExistsException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>Other objects still refer to the object.</summary>
    [Serializable]
    public sealed class ManagementObjectInUseException : Exception
    {
        /// <summary>With a message.</summary>
        public ManagementObjectInUseException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public ManagementObjectInUseException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private ManagementObjectInUseException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>A setting of a policy is out of its range.</summary>
    [Serializable]
    public sealed class InvalidPolicySettingException : ArgumentException
    {
        /// <summary>With a message.</summary>
        public InvalidPolicySettingException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public InvalidPolicySettingException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private InvalidPolicySettingException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }
}
