using System.Globalization;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>Text for a line of a log or a terminal.</summary>
    internal static class Line
    {
        /// <summary>
        /// The text with each character that would end the line, or control the terminal, as its code in UTF-8, as a distinguished name
        /// has it: a line break is \0A. Names in a directory may hold such characters; that of an object which replication renamed
        /// always does.
        /// </summary>
        internal static string Of(string text)
        {
            if (string.IsNullOrEmpty(text))
            {
                return text;
            }

            StringBuilder made = null;
            for (int i = 0; i < text.Length; i++)
            {
                if (!Breaks(text[i]))
                {
                    if (made != null)
                    {
                        made.Append(text[i]);
                    }

                    continue;
                }

                made = made ?? new StringBuilder(text, 0, i, text.Length + 16);
                foreach (byte code in Encoding.UTF8.GetBytes(new char[] { text[i] }))
                {
                    made.Append('\\').Append(code.ToString("X2", CultureInfo.InvariantCulture));
                }
            }

            return made == null ? text : made.ToString();
        }

        // Control characters, line and paragraph separators, and what turns the direction of the text around it.
        private static bool Breaks(char c)
        {
            return char.IsControl(c) || c == '\u2028' || c == '\u2029' || (c >= '\u202A' && c <= '\u202E')
                || (c >= '\u2066' && c <= '\u2069') || c == '\u200E' || c == '\u200F';
        }
    }
}
