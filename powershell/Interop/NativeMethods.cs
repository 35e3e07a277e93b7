using System;
using System.Runtime.InteropServices;

namespace UMMailboxPin
{
    /// <summary>The C ABI of libumpin, declaration by declaration as in umpin.h.</summary>
    /// <remarks>
    /// Only byte[], UIntPtr, uint, ulong, IntPtr and SafeHandles cross it: no bool, string, struct or callback, because their
    /// default marshalling differs between Windows PowerShell and PowerShell 7, and between Windows and the rest.
    /// </remarks>
    internal static class NativeMethods
    {
        private const string Library = "umpin";

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_version(out IntPtr text, out UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_session_open(byte[] request, UIntPtr requestLength, out SessionHandle session, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void umpin_session_free(IntPtr session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_plan_new(
            SessionHandle session, byte[] request, UIntPtr requestLength, byte[] pin, UIntPtr pinLength, out PlanHandle plan, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_plan_target(PlanHandle plan, uint timeoutMilliseconds, out BufferHandle target, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_plan_validate(PlanHandle plan, uint timeoutMilliseconds, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_plan_commit(
            PlanHandle plan, uint timeoutMilliseconds, out BufferHandle response, out BufferHandle pin, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_plan_cancel(PlanHandle plan);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void umpin_plan_free(IntPtr plan);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_request_new(
            SessionHandle session, byte[] request, UIntPtr requestLength, out RequestHandle handle, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_signin(
            SessionHandle session, byte[] request, UIntPtr requestLength, byte[] pin, UIntPtr pinLength, out RequestHandle handle, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_request_wait(RequestHandle request, uint timeoutMilliseconds, out BufferHandle response, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_request_cancel(RequestHandle request);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void umpin_request_free(IntPtr request);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_batch_new(SessionHandle session, uint parallelism, out BatchHandle batch, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_batch_submit(BatchHandle batch, PlanHandle plan, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_batch_collect(
            BatchHandle batch, uint timeoutMilliseconds, out ulong index, out BufferHandle response, out BufferHandle pin, out ErrorHandle error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_batch_cancel(BatchHandle batch);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void umpin_batch_free(IntPtr batch);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_buffer_data(BufferHandle buffer, out IntPtr data, out UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void umpin_buffer_free(IntPtr buffer);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint umpin_error_json(ErrorHandle error, out IntPtr data, out UIntPtr length);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void umpin_error_free(IntPtr error);
    }
}
