using System;
using System.Globalization;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>For dates: text is read as the caller writes dates, and not by the invariant culture, as a script's [datetime] would.</summary>
    [AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
    public sealed class DateTransformationAttribute : ArgumentTransformationAttribute
    {
        // ISO 8601, whose separator may be a space. K: nothing, Z or an offset.
        private static readonly string[] Iso =
        {
            "yyyy-MM-dd", "yyyyMMdd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd' 'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd' 'HH:mm:ssK",
            "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK", "yyyyMMdd'T'HHmmK", "yyyyMMdd'T'HHmmssK",
        };

        /// <inheritdoc/>
        public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
        {
            PSObject wrapped = inputData as PSObject;
            object value = wrapped == null ? inputData : wrapped.BaseObject;
            if (value == null || value is DateTime)
            {
                return inputData;
            }

            if (value is DateTimeOffset)
            {
                return ((DateTimeOffset)value).LocalDateTime;
            }

            string text = value as string;
            if (text == null && NumberText.IsNumber(value))
            {
                // As it was typed: 20261112, and not that many hundreds of nanoseconds since the year 1.
                text = NumberText.Of(inputData, value) ?? Convert.ToString(value, CultureInfo.InvariantCulture);
            }

            if (text == null)
            {
                throw new ArgumentTransformationMetadataException("A date is a DateTime or text, and no " + value.GetType().Name + ".");
            }

            return Read(text.Trim(), CultureInfo.CurrentCulture);
        }

        private static DateTime Read(string text, CultureInfo culture)
        {
            if (string.Equals(text, "today", StringComparison.OrdinalIgnoreCase))
            {
                return DateTime.Today;
            }

            if (string.Equals(text, "yesterday", StringComparison.OrdinalIgnoreCase))
            {
                return DateTime.Today.AddDays(-1);
            }

            // In a culture with another calendar the year of an ISO date is still that of ISO 8601.
            DateTime date;
            bool gregorian = culture.DateTimeFormat.Calendar is GregorianCalendar;
            if ((gregorian && ReadByCulture(text, culture, out date))
                || DateTime.TryParseExact(text, Iso, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out date)
                || (!gregorian && ReadByCulture(text, culture, out date)))
            {
                return date;
            }

            throw new ArgumentTransformationMetadataException(string.Format(
                "'{0}' is no date as the current culture writes it ({1}, such as {2}), no ISO 8601 date such as {3}, and neither today nor yesterday.",
                Line.Of(text), culture.Name.Length == 0 ? "invariant" : culture.Name,
                DateTime.Today.ToString("d", culture), DateTime.Today.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
        }

        private static bool ReadByCulture(string text, CultureInfo culture, out DateTime date)
        {
            return DateTime.TryParse(text, culture, DateTimeStyles.AllowWhiteSpaces | DateTimeStyles.AssumeLocal, out date);
        }
    }
}
