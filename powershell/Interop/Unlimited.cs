using System;
using System.Globalization;

namespace UMMailboxPin
{
    /// <summary>A number of results, or Unlimited.</summary>
    public sealed class Unlimited
    {
        private readonly ulong? limit;

        /// <summary>Accepts a number from 1, or the word Unlimited.</summary>
        public Unlimited(object value)
        {
            string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            text = text.Trim();
            if (string.Equals(text, "Unlimited", StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            uint number;
            if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number == 0)
            {
                throw new ArgumentException("'" + text + "' is neither a number from 1 to 4294967295 nor Unlimited.");
            }

            limit = number;
        }

        /// <summary>Whether there is no limit.</summary>
        public bool IsUnlimited
        {
            get { return !limit.HasValue; }
        }

        /// <summary>The limit; the largest possible number when there is none.</summary>
        public ulong Value
        {
            get { return limit ?? ulong.MaxValue; }
        }

        /// <summary>The number, or Unlimited.</summary>
        public override string ToString()
        {
            return limit.HasValue ? limit.Value.ToString(CultureInfo.InvariantCulture) : "Unlimited";
        }
    }
}
