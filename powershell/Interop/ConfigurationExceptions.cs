using System;
using System.Runtime.Serialization;

namespace UMMailboxPin
{
    /// <summary>The configuration cannot be used.</summary>
    [Serializable]
    public class ConfigurationException : Exception
    {
        /// <summary>With a message.</summary>
        public ConfigurationException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public ConfigurationException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        protected ConfigurationException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The key that protects the records is missing, unreadable, exposed or the wrong one.</summary>
    [Serializable]
    public sealed class KeyUnavailableException : ConfigurationException
    {
        /// <summary>With a message.</summary>
        public KeyUnavailableException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public KeyUnavailableException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private KeyUnavailableException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The store or a record in it is damaged.</summary>
    [Serializable]
    public sealed class StoreCorruptException : ConfigurationException
    {
        /// <summary>With a message.</summary>
        public StoreCorruptException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public StoreCorruptException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private StoreCorruptException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>Others can alter or exchange the store.</summary>
    [Serializable]
    public sealed class StoreExposedException : ConfigurationException
    {
        /// <summary>With a message.</summary>
        public StoreExposedException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public StoreExposedException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private StoreExposedException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }

    /// <summary>The import file has rows that cannot be used.</summary>
    [Serializable]
    public sealed class ImportInvalidException : ConfigurationException
    {
        /// <summary>With a message.</summary>
        public ImportInvalidException(string message) : base(message) { }

        /// <summary>With a message and its cause.</summary>
        public ImportInvalidException(string message, Exception innerException) : base(message, innerException) { }

        /// <summary>For crossing application domains.</summary>
        private ImportInvalidException(SerializationInfo info, StreamingContext context) : base(info, context) { }
    }
}
