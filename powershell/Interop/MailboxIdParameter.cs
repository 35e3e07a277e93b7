using System;
using System.Collections;
using System.Globalization;

namespace UMMailboxPin
{
    /// <summary>What an administrator gave to name a mailbox: text, a GUID, a mailbox object or a row with an Identity.</summary>
    /// <remarks>
    /// The one constructor makes PowerShell convert whatever arrives. Which property of an object counts is decided by the module,
    /// which can see PowerShell's extended properties.
    /// </remarks>
    public sealed class MailboxIdParameter
    {
        private readonly object rawInput;

        /// <summary>Keeps the input; refuses null and collections, so that 'a','b' is a binding error.</summary>
        public MailboxIdParameter(object identity)
        {
            MailboxIdParameter other = identity as MailboxIdParameter;
            if (other != null)
            {
                identity = other.rawInput;
            }

            if (identity == null)
            {
                throw new ArgumentException("An identity must not be null.");
            }

            if (identity is IEnumerable && !(identity is string))
            {
                throw new ArgumentException("An identity names one mailbox. A list or table is not accepted; send its elements through the pipeline.");
            }

            rawInput = identity is NullIdentity ? null : identity;
        }

        /// <summary>The input as it was given.</summary>
        public object RawInput
        {
            get { return rawInput; }
        }

        /// <summary>The input as text.</summary>
        public override string ToString()
        {
            return Convert.ToString(rawInput, CultureInfo.InvariantCulture) ?? "";
        }
    }
}
