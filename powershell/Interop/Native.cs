using System;
using System.Runtime.InteropServices;
using System.Security;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>
    /// What the module calls: each operation of the library with text in and text out. Failures come back as a status and the
    /// error's JSON, never as exceptions, because PowerShell keeps every exception it sees in the caller's $Error.
    /// </summary>
    public static class Native
    {
        /// <summary>The ABI number these declarations were written for.</summary>
        public const uint AbiNumber = 1;

        /// <summary>The call succeeded.</summary>
        public const uint Ok = 0;

        /// <summary>Not finished within the time given: call again.</summary>
        public const uint Pending = 1;

        /// <summary>The batch has no outstanding item.</summary>
        public const uint BatchEmpty = 2;

        // A lone surrogate becomes U+FFFD: such an identity is not found, such a PIN is not numeric. Neither is worth an exception.
        private static readonly Encoding Utf8 = new UTF8Encoding(false, false);

        /// <summary>Loads the library. Returns null, or why it cannot be used.</summary>
        public static string Probe(out uint abi, out string version)
        {
            abi = 0;
            version = "";
            try
            {
                abi = NativeMethods.umpin_abi_version();
                IntPtr text;
                UIntPtr length;
                if (NativeMethods.umpin_version(out text, out length) == Ok)
                {
                    version = Utf8.GetString(Copy(text, length));
                }

                return null;
            }
            catch (DllNotFoundException e)
            {
                return e.Message;
            }
            catch (EntryPointNotFoundException e)
            {
                return e.Message;
            }
            catch (BadImageFormatException e)
            {
                return e.Message;
            }
        }

        /// <summary>umpin_session_open</summary>
        public static uint OpenSession(string request, out SessionHandle session, out string error)
        {
            byte[] bytes = Utf8.GetBytes(request);
            ErrorHandle handle;
            uint status = NativeMethods.umpin_session_open(bytes, Length(bytes), out session, out handle);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_plan_new; null or empty <paramref name="pin"/>: generated. The array stays the caller's to clear.</summary>
        public static uint NewPlan(SessionHandle session, string request, byte[] pin, out PlanHandle plan, out string error)
        {
            byte[] bytes = Utf8.GetBytes(request);
            ErrorHandle handle;
            uint status = NativeMethods.umpin_plan_new(session, bytes, Length(bytes), pin, Length(pin), out plan, out handle);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_plan_target</summary>
        public static uint PlanTarget(PlanHandle plan, uint timeoutMilliseconds, out string target, out string error)
        {
            BufferHandle buffer;
            ErrorHandle handle;
            uint status = NativeMethods.umpin_plan_target(plan, timeoutMilliseconds, out buffer, out handle);
            target = TakeText(status, buffer);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_plan_validate</summary>
        public static uint PlanValidate(PlanHandle plan, uint timeoutMilliseconds, out string error)
        {
            ErrorHandle handle;
            uint status = NativeMethods.umpin_plan_validate(plan, timeoutMilliseconds, out handle);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_plan_commit; <paramref name="pin"/> is null unless one was generated.</summary>
        public static uint PlanCommit(PlanHandle plan, uint timeoutMilliseconds, out string response, out SecureString pin, out string error)
        {
            BufferHandle buffer;
            BufferHandle secret;
            ErrorHandle handle;
            uint status = NativeMethods.umpin_plan_commit(plan, timeoutMilliseconds, out buffer, out secret, out handle);
            response = TakeText(status, buffer);
            pin = TakeSecret(status, secret);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_request_new</summary>
        public static uint NewRequest(SessionHandle session, string request, out RequestHandle handle, out string error)
        {
            byte[] bytes = Utf8.GetBytes(request);
            ErrorHandle failure;
            uint status = NativeMethods.umpin_request_new(session, bytes, Length(bytes), out handle, out failure);
            error = TakeError(status, failure);
            return status;
        }

        /// <summary>umpin_request_wait</summary>
        public static uint WaitRequest(RequestHandle request, uint timeoutMilliseconds, out string response, out string error)
        {
            BufferHandle buffer;
            ErrorHandle handle;
            uint status = NativeMethods.umpin_request_wait(request, timeoutMilliseconds, out buffer, out handle);
            response = TakeText(status, buffer);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_batch_new</summary>
        public static uint NewBatch(SessionHandle session, uint parallelism, out BatchHandle batch, out string error)
        {
            ErrorHandle handle;
            uint status = NativeMethods.umpin_batch_new(session, parallelism, out batch, out handle);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_batch_submit</summary>
        public static uint BatchSubmit(BatchHandle batch, PlanHandle plan, out string error)
        {
            ErrorHandle handle;
            uint status = NativeMethods.umpin_batch_submit(batch, plan, out handle);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>umpin_batch_collect</summary>
        public static uint BatchCollect(
            BatchHandle batch, uint timeoutMilliseconds, out ulong index, out string response, out SecureString pin, out string error)
        {
            BufferHandle buffer;
            BufferHandle secret;
            ErrorHandle handle;
            uint status = NativeMethods.umpin_batch_collect(batch, timeoutMilliseconds, out index, out buffer, out secret, out handle);
            response = TakeText(status, buffer);
            pin = TakeSecret(status, secret);
            error = TakeError(status, handle);
            return status;
        }

        /// <summary>Whether the status says that the call itself was wrong or the library is unusable (family 1xx).</summary>
        public static bool IsMisuse(uint status)
        {
            return status >= 100 && status < 200;
        }

        private static UIntPtr Length(byte[] bytes)
        {
            return new UIntPtr(bytes == null ? 0u : (uint)bytes.Length);
        }

        private static byte[] Copy(IntPtr data, UIntPtr length)
        {
            byte[] bytes = new byte[checked((int)length.ToUInt64())];
            if (bytes.Length > 0)
            {
                Marshal.Copy(data, bytes, 0, bytes.Length);
            }

            return bytes;
        }

        private static byte[] Read(BufferHandle buffer)
        {
            IntPtr data;
            UIntPtr length;
            return NativeMethods.umpin_buffer_data(buffer, out data, out length) == Ok ? Copy(data, length) : new byte[0];
        }

        private static string TakeText(uint status, BufferHandle buffer)
        {
            using (buffer)
            {
                return status == Ok && !buffer.IsInvalid ? Utf8.GetString(Read(buffer)) : null;
            }
        }

        private static SecureString TakeSecret(uint status, BufferHandle buffer)
        {
            using (buffer)
            {
                if (status != Ok || buffer.IsInvalid)
                {
                    return null;
                }

                byte[] bytes = Read(buffer);
                try
                {
                    SecureString secret = new SecureString();
                    foreach (byte digit in bytes)
                    {
                        secret.AppendChar((char)digit);
                    }

                    secret.MakeReadOnly();
                    return secret;
                }
                finally
                {
                    Array.Clear(bytes, 0, bytes.Length);
                }
            }
        }

        private static string TakeError(uint status, ErrorHandle error)
        {
            using (error)
            {
                if (status <= BatchEmpty || error.IsInvalid)
                {
                    return null;
                }

                IntPtr data;
                UIntPtr length;
                return NativeMethods.umpin_error_json(error, out data, out length) == Ok ? Utf8.GetString(Copy(data, length)) : null;
            }
        }
    }
}
