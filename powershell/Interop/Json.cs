using System;
using System.Collections;
using System.Globalization;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>The JSON that crosses to the library and back.</summary>
    /// <remarks>
    /// PowerShell's own cmdlets would cost the first reset of a process more than the reset itself. They also turn text that looks
    /// like a date into one, and write text with extended properties as an object.
    /// </remarks>
    public static class Json
    {
        /// <summary>One object of text, truth values, whole numbers and tables of these. Other values are written as their text.</summary>
        public static string Write(IDictionary members)
        {
            StringBuilder json = new StringBuilder("{\"v\":1");
            WriteMembers(json, members, ",");
            return json.Append('}').ToString();
        }

        /// <summary>
        /// Objects as tables, arrays as object[], numbers as int, long or double, and text always as text. What is no JSON gives null.
        /// </summary>
        public static object Read(string json)
        {
            JsonReader reader = new JsonReader(json);
            object value;
            return reader.ReadAll(out value) ? value : null;
        }

        private static void WriteMembers(StringBuilder json, IDictionary members, string separator)
        {
            foreach (DictionaryEntry member in members)
            {
                json.Append(separator);
                WriteText(json, (string)member.Key);
                json.Append(':');
                WriteValue(json, member.Value);
                separator = ",";
            }
        }

        private static void WriteValue(StringBuilder json, object value)
        {
            if (value == null)
            {
                json.Append("null");
            }
            else if (value is bool)
            {
                json.Append((bool)value ? "true" : "false");
            }
            else if (value is int || value is long || value is uint || value is ulong)
            {
                json.Append(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
            }
            else if (value is string[])
            {
                string separator = "[";
                foreach (string text in (string[])value)
                {
                    json.Append(separator);
                    WriteText(json, text);
                    separator = ",";
                }

                json.Append(separator == "[" ? "[]" : "]");
            }
            else if (value is IDictionary)
            {
                json.Append('{');
                WriteMembers(json, (IDictionary)value, "");
                json.Append('}');
            }
            else
            {
                WriteText(json, Convert.ToString(value, CultureInfo.InvariantCulture));
            }
        }

        private static void WriteText(StringBuilder json, string text)
        {
            json.Append('"');
            foreach (char c in text)
            {
                if (c == '"' || c == '\\')
                {
                    json.Append('\\').Append(c);
                }
                else if (c < ' ')
                {
                    json.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                }
                else
                {
                    json.Append(c);
                }
            }

            json.Append('"');
        }
    }
}
