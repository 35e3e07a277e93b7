using System;

namespace UMMailboxPin
{
    /// <summary>
    /// When to show progress: for long runs only, at most five times a second. Each time costs the host more than the look-up of a
    /// mailbox.
    /// </summary>
    public sealed class Progress
    {
        private const int StartMilliseconds = 2000;
        private const int StepMilliseconds = 200;
        private readonly int start = Environment.TickCount;
        private int last;

        /// <summary>How many items have come.</summary>
        public int Count { get; internal set; }

        /// <summary>Whether it has been shown, and must be shown as completed in the end.</summary>
        public bool Shown { get; private set; }

        /// <summary>Whether it is to be shown now.</summary>
        public bool IsDue()
        {
            int now = unchecked(Environment.TickCount - start);
            if (now < StartMilliseconds || now - last < StepMilliseconds)
            {
                return false;
            }

            last = now;
            Shown = true;
            return true;
        }
    }
}
