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
    public sealed class PlanHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        /// <summary>Used by the marshaller only.</summary>
        public PlanHandle() : base(true) { }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            NativeMethods.umpin_plan_free(handle);
            return true;
        }
    }

    /// <summary>A request that has not been answered yet.</summary>
    public sealed class RequestHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        /// <summary>Used by the marshaller only.</summary>
        public RequestHandle() : base(true) { }

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            NativeMethods.umpin_request_free(handle);
            return true;
        }
    }

    /// <summary>Memory of the library that holds an answer; it is wiped when freed.</summary>
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
