using System;
using System.Collections.Generic;
using Microsoft.Win32.SafeHandles;

namespace UMMailboxPin
{
    /// <summary>Resets that are carried out in parallel.</summary>
    /// <remarks>
    /// A PowerShell function is not told when a command upstream of it fails, and the process may end right after. So that resets
    /// that were accepted are not cut off then, the end of the process waits for them.
    /// </remarks>
    public sealed class BatchHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private const int ExitLimitMilliseconds = 30000;
        private static readonly List<WeakReference> Open = new List<WeakReference>();

        static BatchHandle()
        {
            AppDomain.CurrentDomain.ProcessExit += delegate { DrainAll(); };
        }

        /// <summary>Used by the marshaller only.</summary>
        public BatchHandle() : base(true)
        {
            lock (Open)
            {
                Open.RemoveAll(delegate(WeakReference reference) { return !reference.IsAlive; });
                Open.Add(new WeakReference(this));
            }
        }

        /// <summary>Waits until everything accepted has been carried out, and drops the outcomes.</summary>
        public void Drain(int limitMilliseconds)
        {
            if (IsInvalid || IsClosed)
            {
                return;
            }

            int start = Environment.TickCount;
            while (unchecked(Environment.TickCount - start) < limitMilliseconds)
            {
                ulong index;
                BufferHandle response;
                BufferHandle pin;
                ErrorHandle error;
                uint status = NativeMethods.umpin_batch_collect(this, 50, out index, out response, out pin, out error);
                response.Dispose();
                pin.Dispose();
                error.Dispose();
                if (status == Native.BatchEmpty || Native.IsMisuse(status))
                {
                    return;
                }
            }
        }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            NativeMethods.umpin_batch_free(handle);
            return true;
        }

        private static void DrainAll()
        {
            WeakReference[] references;
            lock (Open)
            {
                references = Open.ToArray();
            }

            foreach (WeakReference reference in references)
            {
                BatchHandle batch = reference.Target as BatchHandle;
                if (batch != null)
                {
                    try
                    {
                        batch.Drain(ExitLimitMilliseconds);
                    }
                    catch (ObjectDisposedException)
                    {
                        // Closed by its own pipeline in the meantime: nothing is left to wait for.
                    }
                }
            }
        }
    }
}
