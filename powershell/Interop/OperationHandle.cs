using System;
using System.Collections.Generic;
using Microsoft.Win32.SafeHandles;

namespace UMMailboxPin
{
    /// <summary>Work of the library that may change something: a plan, a request or a batch.</summary>
    /// <remarks>
    /// Freeing one cancels what has not reached its commit point. So does the end of the process, which waits for the rest: the
    /// pipeline thread may be cut off in the middle of a call then, as by [Environment]::Exit or a signal.
    /// </remarks>
    public abstract class OperationHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private const int ExitLimitMilliseconds = 30000;
        private static readonly Dictionary<IntPtr, WeakReference> Open = new Dictionary<IntPtr, WeakReference>();

        static OperationHandle()
        {
            AppDomain.CurrentDomain.ProcessExit += delegate { EndAll(); };
        }

        /// <summary>Made by the marshaller.</summary>
        protected OperationHandle() : base(true)
        {
        }

        /// <summary>Cancels what has not reached its commit point. Does not wait.</summary>
        public void Cancel()
        {
            if (!IsInvalid && !IsClosed)
            {
                CancelHandle();
            }
        }

        internal void Register()
        {
            lock (Open)
            {
                Open[handle] = new WeakReference(this);
            }
        }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            lock (Open)
            {
                Open.Remove(handle);
            }

            FreeHandle(handle);
            return true;
        }

        /// <summary>Asks the library to cancel.</summary>
        protected abstract void CancelHandle();

        /// <summary>Waits for one short step; true: nothing is under way any more.</summary>
        protected abstract bool WaitHandle();

        /// <summary>Gives the memory back.</summary>
        protected abstract void FreeHandle(IntPtr value);

        private static void EndAll()
        {
            List<OperationHandle> handles = new List<OperationHandle>();
            lock (Open)
            {
                foreach (WeakReference reference in Open.Values)
                {
                    OperationHandle open = reference.Target as OperationHandle;
                    if (open != null)
                    {
                        handles.Add(open);
                    }
                }
            }

            foreach (OperationHandle open in handles)
            {
                Try(open, delegate(OperationHandle one) { one.Cancel(); return true; });
            }

            int start = Environment.TickCount;
            foreach (OperationHandle open in handles)
            {
                while (unchecked(Environment.TickCount - start) < ExitLimitMilliseconds
                    && !Try(open, delegate(OperationHandle one) { return one.IsInvalid || one.IsClosed || one.WaitHandle(); }))
                {
                }
            }
        }

        // Closed by its own pipeline in the meantime: nothing is left to wait for.
        private static bool Try(OperationHandle open, Func<OperationHandle, bool> step)
        {
            try
            {
                return step(open);
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
        }
    }
}
