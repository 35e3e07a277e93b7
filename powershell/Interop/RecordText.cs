using System;
using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>A nested object as text, all of it, as a list or a CSV file shows it.</summary>
    public static class RecordText
    {
        /// <summary>The method ToString of such an object.</summary>
        internal static readonly MethodInfo Method = typeof(RecordText).GetMethod("Of");

        /// <summary>Its members, in their order: failures=1; after=(MinPINLength=6; PINLifetime=60).</summary>
        public static string Of(PSObject record)
        {
            StringBuilder text = new StringBuilder();
            foreach (object member in (IEnumerable)Engine.Get(record, "Properties"))
            {
                if (text.Length > 0)
                {
                    text.Append("; ");
                }

                text.Append(Engine.Get(member, "Name")).Append('=').Append(Value(Engine.Get(member, "Value")));
            }

            return text.ToString();
        }

        private static string Value(object value)
        {
            PSObject record = value as PSObject;
            if (record != null)
            {
                return "(" + Of(record) + ")";
            }

            object[] list = value as object[];
            return list == null
                ? Line.Of(Convert.ToString(value, CultureInfo.InvariantCulture))
                : string.Join(", ", Array.ConvertAll(list, Value));
        }
    }
}
