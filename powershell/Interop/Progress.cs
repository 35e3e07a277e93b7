using System;
using System.Threading;

namespace UMMailboxPin
{
    /// <summary>
    /// The progress of a long run: shown from its third second on, at most five times a second. Each time costs the host more than the
    /// look-up of a mailbox.
    /// </summary>
    public sealed class Progress
    {
        private const int StartMilliseconds = 2000;
        private const int StepMilliseconds = 200;
        // PowerShell counts its commands upwards from 1; hosts tell the progress of one from that of another by such a number.
        private static long sources = long.MaxValue / 2;
        private readonly CommandRuntime runtime;
        private readonly string activity;
        private readonly long source = Interlocked.Increment(ref sources);
        private readonly int start = Environment.TickCount;
        private int last;
        private bool shown;

        internal Progress(CommandRuntime runtime, string activity)
        {
            this.runtime = runtime;
            this.activity = activity;
        }

        /// <summary>Shows the status where it is time to.</summary>
        internal void Show(string format, int count)
        {
            int now = unchecked(Environment.TickCount - start);
            if (now < StartMilliseconds || now - last < StepMilliseconds || !runtime.ShowsProgress)
            {
                return;
            }

            last = now;
            shown = true;
            runtime.WriteProgress(source, activity, string.Format(format, count));
        }

        /// <summary>Takes it away, however the run ended. May be called more than once.</summary>
        internal void End()
        {
            if (shown)
            {
                shown = false;
                runtime.EndProgress(source, activity);
            }
        }
    }
}
