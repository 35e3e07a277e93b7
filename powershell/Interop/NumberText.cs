using System;
using System.Globalization;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>The digits of a number that was meant as text: 0042 as typed is not 42.</summary>
    internal static class NumberText
    {
        // Above these a floating-point number may stand for another integer than the one that was written.
        private const double ExactDouble = 9007199254740992;
        private const float ExactSingle = 16777216;

        /// <summary>Whether the value is a number; an enumeration is not, nor is a character or a truth value.</summary>
        internal static bool IsNumber(object value)
        {
            if (value == null || value is Enum)
            {
                return false;
            }

            switch (Type.GetTypeCode(value.GetType()))
            {
                case TypeCode.SByte:
                case TypeCode.Byte:
                case TypeCode.Int16:
                case TypeCode.UInt16:
                case TypeCode.Int32:
                case TypeCode.UInt32:
                case TypeCode.Int64:
                case TypeCode.UInt64:
                case TypeCode.Single:
                case TypeCode.Double:
                case TypeCode.Decimal:
                    return true;
                default:
                    return value.GetType().FullName == "System.Numerics.BigInteger";
            }
        }

        /// <summary>
        /// The literal as it was typed, where PowerShell still knows it: an argument is wrapped together with its text. Else the
        /// digits of the number; null where it is no whole number, is negative, or may stand for another.
        /// </summary>
        internal static string Of(object input, object number)
        {
            string digits = Digits(number);
            return digits != null && input is PSObject ? (string)LanguagePrimitives.ConvertTo(input, typeof(string)) : digits;
        }

        private static string Digits(object number)
        {
            if (number is double || number is float)
            {
                double value = Convert.ToDouble(number, CultureInfo.InvariantCulture);
                double most = number is float ? ExactSingle : ExactDouble;
                return value >= 0 && value <= most && Math.Floor(value) == value
                    ? ((ulong)value).ToString(CultureInfo.InvariantCulture)
                    : null;
            }

            if (number is decimal)
            {
                decimal value = (decimal)number;
                return value >= 0 && decimal.Truncate(value) == value ? value.ToString("F0", CultureInfo.InvariantCulture) : null;
            }

            string text = Convert.ToString(number, CultureInfo.InvariantCulture);
            return text.StartsWith("-", StringComparison.Ordinal) ? null : text;
        }
    }
}
