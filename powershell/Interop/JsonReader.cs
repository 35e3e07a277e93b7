using System;
using System.Collections;
using System.Globalization;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>A strict reader of RFC 8259. It reports by truth value: an exception would land in the caller's $Error.</summary>
    internal sealed class JsonReader
    {
        private const int MaximumDepth = 32;
        private readonly string text;
        private int at;

        internal JsonReader(string json)
        {
            text = json ?? "";
        }

        internal bool ReadAll(out object value)
        {
            if (!ReadValue(0, out value))
            {
                return false;
            }

            SkipSpace();
            return at == text.Length;
        }

        private bool ReadValue(int depth, out object value)
        {
            value = null;
            SkipSpace();
            if (at >= text.Length || depth > MaximumDepth)
            {
                return false;
            }

            switch (text[at])
            {
                case '{':
                    return ReadObject(depth, out value);
                case '[':
                    return ReadArray(depth, out value);
                case '"':
                    string read;
                    bool good = ReadText(out read);
                    value = read;
                    return good;
                case 't':
                    value = true;
                    return Take("true");
                case 'f':
                    value = false;
                    return Take("false");
                case 'n':
                    return Take("null");
                default:
                    return ReadNumber(out value);
            }
        }

        private bool ReadObject(int depth, out object value)
        {
            Hashtable table = new Hashtable(StringComparer.OrdinalIgnoreCase);
            value = table;
            at++;
            SkipSpace();
            if (TakeOne('}'))
            {
                return true;
            }

            do
            {
                string name;
                object member;
                SkipSpace();
                if (!ReadText(out name))
                {
                    return false;
                }

                SkipSpace();
                if (!TakeOne(':') || !ReadValue(depth + 1, out member))
                {
                    return false;
                }

                table[name] = member;
                SkipSpace();
            }
            while (TakeOne(','));
            return TakeOne('}');
        }

        private bool ReadArray(int depth, out object value)
        {
            ArrayList items = new ArrayList();
            value = null;
            at++;
            SkipSpace();
            if (!TakeOne(']'))
            {
                do
                {
                    object item;
                    if (!ReadValue(depth + 1, out item))
                    {
                        return false;
                    }

                    items.Add(item);
                    SkipSpace();
                }
                while (TakeOne(','));
                if (!TakeOne(']'))
                {
                    return false;
                }
            }

            value = items.ToArray();
            return true;
        }

        private bool ReadText(out string value)
        {
            value = null;
            if (!TakeOne('"'))
            {
                return false;
            }

            StringBuilder read = new StringBuilder();
            while (at < text.Length)
            {
                char c = text[at++];
                if (c == '"')
                {
                    value = read.ToString();
                    return true;
                }

                if (c < ' ' || (c == '\\' && !ReadEscape(out c)))
                {
                    return false;
                }

                read.Append(c);
            }

            return false;
        }

        private bool ReadEscape(out char value)
        {
            value = at < text.Length ? text[at++] : '\0';
            switch (value)
            {
                case '"':
                case '\\':
                case '/':
                    return true;
                case 'b':
                    value = '\b';
                    return true;
                case 'f':
                    value = '\f';
                    return true;
                case 'n':
                    value = '\n';
                    return true;
                case 'r':
                    value = '\r';
                    return true;
                case 't':
                    value = '\t';
                    return true;
                case 'u':
                    return ReadCodeUnit(out value);
                default:
                    return false;
            }
        }

        private bool ReadCodeUnit(out char value)
        {
            ushort unit = 0;
            bool good = at + 4 <= text.Length
                && ushort.TryParse(text.Substring(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out unit);
            value = (char)unit;
            at += 4;
            return good;
        }

        private bool ReadNumber(out object value)
        {
            int start = at;
            bool whole = true;
            value = null;
            TakeOne('-');
            int digits = at;
            if (!TakeDigits() || (text[digits] == '0' && at - digits > 1))
            {
                return false;
            }

            if (TakeOne('.'))
            {
                whole = false;
                if (!TakeDigits())
                {
                    return false;
                }
            }

            if (TakeOne('e') || TakeOne('E'))
            {
                whole = false;
                if (!TakeOne('+'))
                {
                    TakeOne('-');
                }

                if (!TakeDigits())
                {
                    return false;
                }
            }

            string number = text.Substring(start, at - start);
            long exact;
            if (whole && long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exact))
            {
                value = exact >= int.MinValue && exact <= int.MaxValue ? (object)(int)exact : exact;
                return true;
            }

            double near;
            bool good = double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out near);
            value = near;
            return good;
        }

        private bool TakeDigits()
        {
            int start = at;
            while (at < text.Length && text[at] >= '0' && text[at] <= '9')
            {
                at++;
            }

            return at > start;
        }

        private bool TakeOne(char expected)
        {
            if (at < text.Length && text[at] == expected)
            {
                at++;
                return true;
            }

            return false;
        }

        private bool Take(string word)
        {
            bool good = string.CompareOrdinal(text, at, word, 0, word.Length) == 0;
            at += word.Length;
            return good;
        }

        private void SkipSpace()
        {
            while (at < text.Length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t'))
            {
                at++;
            }
        }
    }
}
