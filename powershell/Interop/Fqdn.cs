using System;

namespace UMMailboxPin
{
    /// <summary>The fully qualified name of a domain controller.</summary>
    public sealed class Fqdn
    {
        private const int MaximumLength = 255;
        private const int MaximumLabelLength = 63;
        private readonly string name;

        /// <summary>Accepts a DNS host name; a final dot is dropped.</summary>
        public Fqdn(string name)
        {
            string text = name == null ? "" : name.Trim();
            if (text.EndsWith(".", StringComparison.Ordinal))
            {
                text = text.Substring(0, text.Length - 1);
            }

            if (text.Length == 0 || text.Length > MaximumLength)
            {
                throw new ArgumentException("A domain controller is given by its DNS name, such as dc1.contoso.com.");
            }

            foreach (string label in text.Split('.'))
            {
                if (!IsLabel(label))
                {
                    throw new ArgumentException("'" + text + "' is not a DNS name such as dc1.contoso.com.");
                }
            }

            this.name = text;
        }

        /// <summary>The name.</summary>
        public override string ToString()
        {
            return name;
        }

        private static bool IsLabel(string label)
        {
            if (label.Length == 0 || label.Length > MaximumLabelLength || label[0] == '-' || label[label.Length - 1] == '-')
            {
                return false;
            }

            foreach (char c in label)
            {
                if (!char.IsLetterOrDigit(c) && c != '-' && c != '_')
                {
                    return false;
                }
            }

            return true;
        }
    }
}
