using System;
using Microsoft.Win32.SafeHandles;

namespace UMMailboxPin
{
    /// <summary>An open session; also freed where no script code runs any more (process exit, jobs, parallel runspaces).</summary>
    public sealed class SessionHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        /// <summary>Used by the marshaller only.</summary>
        public SessionHandle() : base(true) { }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            NativeMethods.umpin_session_free(handle);
            return true;
        }
    }

    /// <summary>One reset that has been looked up and not yet carried out.</summary>
    public sealed class PlanHandle : OperationHandle
    {
        private volatile bool committing;

        /// <summary>Whether it is being carried out.</summary>
        internal bool Committing
        {
            set { committing = value; }
        }

        /// <inheritdoc/>
        protected override void CancelHandle()
        {
            NativeMethods.umpin_plan_cancel(this);
        }

        /// <inheritdoc/>
        protected override bool WaitHandle()
        {
            return !committing || !Native.PlanCommit(this).Pending;
        }

        /// <inheritdoc/>
        protected override void FreeHandle(IntPtr value)
        {
            NativeMethods.umpin_plan_free(value);
        }
    }

    /// <summary>A request that has not been answered yet.</summary>
    public sealed class RequestHandle : OperationHandle
    {
        /// <inheritdoc/>
        protected override void CancelHandle()
        {
            NativeMethods.umpin_request_cancel(this);
        }

        /// <inheritdoc/>
        protected override bool WaitHandle()
        {
            return !Native.WaitRequest(this).Pending;
        }

        /// <inheritdoc/>
        protected override void FreeHandle(IntPtr value)
        {
            NativeMethods.umpin_request_free(value);
        }
    }

    /// <summary>Resets that are carried out in parallel.</summary>
    public sealed class BatchHandle : OperationHandle
    {
        /// <inheritdoc/>
        protected override void CancelHandle()
        {
            NativeMethods.umpin_batch_cancel(this);
        }

        /// <inheritdoc/>
        protected override bool WaitHandle()
        {
            uint status = Native.BatchCollect(this, true).Status;
            return status == Native.BatchEmpty || Native.IsMisuse(status);
        }

        /// <inheritdoc/>
        protected override void FreeHandle(IntPtr value)
        {
            NativeMethods.umpin_batch_free(value);
        }
    }

    /// <summary>Memory of the library that holds a result; it is wiped when freed.</summary>
    internal sealed class BufferHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public BufferHandle() : base(true) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.umpin_buffer_free(handle);
            return true;
        }
    }

    /// <summary>The library's description of a failure.</summary>
    internal sealed class ErrorHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public ErrorHandle() : base(true) { }

        protected override bool ReleaseHandle()
        {
            NativeMethods.umpin_error_free(handle);
            return true;
        }
    }
}
