using System;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>What may be given to -Pin, and where it is kept: never in a variable.</summary>
    public static class GivenPin
    {
        // A placeholder is found by what it is, not by what it says: all of them say the same.
        private static readonly ConditionalWeakTable<string, SecureString> Held = new ConditionalWeakTable<string, SecureString>();

        /// <summary>
        /// The PIN, or null where there is none. Text is taken as it is, a number literal as it was typed, any other number as its
        /// digits. Everything else is refused: an array or a table whose text is sent as a PIN would be counted as a wrong one.
        /// </summary>
        internal static SecureString Read(object input)
        {
            PSObject wrapped = input as PSObject;
            object value = wrapped == null ? input : wrapped.BaseObject;
            if (value == null)
            {
                return null;
            }

            SecureString secure = value as SecureString;
            PSCredential credential = value as PSCredential;
            if (credential != null)
            {
                secure = credential.Password;
            }

            if (secure != null)
            {
                return secure.Length == 0 ? null : Locked(secure.Copy());
            }

            string text = value as string;
            if (text == null && NumberText.IsNumber(value))
            {
                text = NumberText.Of(input, value);
                if (text == null)
                {
                    throw new ArgumentTransformationMetadataException(
                        "A number that is negative, too large or not whole cannot be a PIN. Pass the PIN as text, in quotation marks.");
                }
            }

            if (text == null)
            {
                throw new ArgumentTransformationMetadataException(
                    "A PIN is text, a number, a SecureString or the password of a PSCredential, and no " + value.GetType().Name + ".");
            }

            return text.Length == 0 ? null : Secured(text);
        }

        /// <summary>What stands in the parameter instead, and leads to the PIN as long as it is kept; empty where there is no PIN.</summary>
        public static string Hold(SecureString pin)
        {
            if (pin == null || pin.Length == 0)
            {
                return "";
            }

            string placeholder = new string('*', 8);
            Held.Add(placeholder, pin);
            return placeholder;
        }

        /// <summary>Whether this very string stands for a PIN.</summary>
        internal static bool IsPlaceholder(object value)
        {
            string text = value as string;
            SecureString pin;
            return text != null && Held.TryGetValue(text, out pin);
        }

        /// <summary>The PIN behind a placeholder; null for an omitted or empty parameter.</summary>
        internal static SecureString Behind(string placeholder)
        {
            if (string.IsNullOrEmpty(placeholder))
            {
                return null;
            }

            SecureString pin;
            if (!Held.TryGetValue(placeholder, out pin))
            {
                throw new InvalidOperationException("The value of -Pin did not pass its transformation.");
            }

            return pin;
        }

        /// <summary>Whether a PIN consists of white space: a field that was left empty, and no guess.</summary>
        internal static bool IsBlank(SecureString pin)
        {
            IntPtr text = Marshal.SecureStringToGlobalAllocUnicode(pin);
            try
            {
                int i = 0;
                while (i < pin.Length && char.IsWhiteSpace((char)Marshal.ReadInt16(text, 2 * i)))
                {
                    i++;
                }

                return i == pin.Length;
            }
            finally
            {
                Marshal.ZeroFreeGlobalAllocUnicode(text);
            }
        }

        private static SecureString Secured(string text)
        {
            SecureString secure = new SecureString();
            foreach (char c in text)
            {
                secure.AppendChar(c);
            }

            return Locked(secure);
        }

        private static SecureString Locked(SecureString secure)
        {
            secure.MakeReadOnly();
            return secure;
        }
    }
}
