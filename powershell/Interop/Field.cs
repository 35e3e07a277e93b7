using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>Members of the library's answers as the types that result objects have. Absent: null.</summary>
    internal static class Field
    {
        private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        internal static string Text(Hashtable item, string name)
        {
            return item[name] as string;
        }

        internal static bool Flag(Hashtable item, string name)
        {
            return true.Equals(item[name]);
        }

        internal static int? Number(Hashtable item, string name)
        {
            object value = item[name];
            return value == null ? (int?)null : Convert.ToInt32(value);
        }

        internal static long? LongNumber(Hashtable item, string name)
        {
            object value = item[name];
            return value == null ? (long?)null : Convert.ToInt64(value);
        }

        /// <summary>Milliseconds since 1970 UTC as the local time that administrators read.</summary>
        internal static DateTime? Time(Hashtable item, string name)
        {
            long? milliseconds = LongNumber(item, name);
            return milliseconds == null ? (DateTime?)null : Epoch.AddMilliseconds(milliseconds.Value).ToLocalTime();
        }

        internal static Guid? Id(Hashtable item, string name)
        {
            Guid id;
            return Guid.TryParse(Text(item, name), out id) ? id : (Guid?)null;
        }

        internal static object[] List(Hashtable item, string name)
        {
            return item[name] as object[] ?? new object[0];
        }

        internal static string[] Texts(Hashtable item, string name)
        {
            return Array.ConvertAll(List(item, name), delegate(object value) { return Convert.ToString(value); });
        }

        /// <summary>The library's names begin with a small letter, PowerShell's values with a capital one.</summary>
        internal static string Word(Hashtable item, string name)
        {
            string word = Text(item, name);
            return string.IsNullOrEmpty(word) ? word : char.ToUpperInvariant(word[0]) + word.Substring(1);
        }
    }
}
