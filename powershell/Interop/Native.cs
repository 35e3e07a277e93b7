using System;
using System.Collections;
using System.Runtime.InteropServices;
using System.Security;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>
    /// What the module calls: each operation of the library, from a table of members to a result. Failures come back as a status
    /// and the library's error, never as exceptions, because PowerShell keeps every exception it sees in the caller's $Error.
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

        /// <summary>Cancelled before its commit point: nothing was changed. Not a failure.</summary>
        public const uint Cancelled = 3;

        /// <summary>No status of the library: it was not asked.</summary>
        public const uint LocalError = uint.MaxValue;

        // Waiting goes in short steps, so that Ctrl+C takes effect between them.
        private const uint StepMilliseconds = 50;

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
        public static NativeResult OpenSession(ConfigLocator locator, string application, string connectedUser)
        {
            Hashtable request = new Hashtable();
            request["dataDirectory"] = locator.DataDirectory;
            if (locator.ConfigFile != null)
            {
                request["configFile"] = locator.ConfigFile;
            }

            string account = Environment.UserDomainName + "\\" + Environment.UserName;
            request["caller"] = connectedUser ?? account;
            if (connectedUser != null && !connectedUser.Equals(account, StringComparison.OrdinalIgnoreCase))
            {
                request["runAs"] = account;
            }

            request["application"] = application;
            request["otherStores"] = locator.OtherStores;
            request["variables"] = locator.Variables;
            byte[] bytes = Utf8.GetBytes(Json.Write(request));
            try
            {
                SessionHandle session;
                ErrorHandle error;
                uint status = NativeMethods.umpin_session_open(bytes, Length(bytes), out session, out error);
                return Made(status, session, error);
            }
            finally
            {
                Array.Clear(bytes, 0, bytes.Length);
            }
        }

        /// <summary>umpin_plan_new; no <paramref name="pin"/>: generated. The bytes it crosses as are cleared.</summary>
        public static NativeResult NewPlan(SessionHandle session, IDictionary request, SecureString pin)
        {
            byte[] bytes = Utf8.GetBytes(Json.Write(request));
            byte[] secret = pin == null ? null : Secret(pin);
            try
            {
                PlanHandle plan;
                ErrorHandle error;
                uint status = NativeMethods.umpin_plan_new(session, bytes, Length(bytes), secret, Length(secret), out plan, out error);
                return Made(status, plan, error);
            }
            finally
            {
                if (secret != null)
                {
                    Array.Clear(secret, 0, secret.Length);
                }
            }
        }

        /// <summary>umpin_plan_target, and where wanted umpin_plan_validate before it is told.</summary>
        public static NativeResult PlanTarget(PlanHandle plan, bool validate)
        {
            BufferHandle buffer;
            ErrorHandle error;
            uint status = NativeMethods.umpin_plan_target(plan, StepMilliseconds, out buffer, out error);
            NativeResult result = new NativeResult(status, TakeText(status, buffer), TakeError(status, error));
            if (!validate || status != Ok)
            {
                return result;
            }

            status = NativeMethods.umpin_plan_validate(plan, StepMilliseconds, out error);
            return status == Ok ? result : new NativeResult(status, null, TakeError(status, error));
        }

        /// <summary>umpin_plan_commit</summary>
        public static NativeResult PlanCommit(PlanHandle plan)
        {
            plan.Committing = true;
            BufferHandle buffer;
            BufferHandle secret;
            ErrorHandle error;
            uint status = NativeMethods.umpin_plan_commit(plan, StepMilliseconds, out buffer, out secret, out error);
            plan.Committing = status == Pending;
            NativeResult result = new NativeResult(status, TakeText(status, buffer), TakeError(status, error));
            result.Pin = TakeSecret(status, secret);
            return result;
        }

        /// <summary>umpin_request_new</summary>
        public static NativeResult NewRequest(SessionHandle session, IDictionary request)
        {
            byte[] bytes = Utf8.GetBytes(Json.Write(request));
            RequestHandle handle;
            ErrorHandle error;
            uint status = NativeMethods.umpin_request_new(session, bytes, Length(bytes), out handle, out error);
            return Made(status, handle, error);
        }

        /// <summary>umpin_signin . The bytes it crosses as are cleared.</summary>
        public static NativeResult SignIn(SessionHandle session, IDictionary request, SecureString pin)
        {
            byte[] bytes = Utf8.GetBytes(Json.Write(request));
            byte[] secret = Secret(pin);
            try
            {
                RequestHandle handle;
                ErrorHandle error;
                uint status = NativeMethods.umpin_signin(session, bytes, Length(bytes), secret, Length(secret), out handle, out error);
                return Made(status, handle, error);
            }
            finally
            {
                Array.Clear(secret, 0, secret.Length);
            }
        }

        private static byte[] Secret(SecureString secure)
        {
            char[] characters = new char[secure.Length];
            IntPtr copy = Marshal.SecureStringToGlobalAllocUnicode(secure);
            try
            {
                Marshal.Copy(copy, characters, 0, characters.Length);
                return Utf8.GetBytes(characters);
            }
            finally
            {
                Array.Clear(characters, 0, characters.Length);
                Marshal.ZeroFreeGlobalAllocUnicode(copy);
            }
        }

        /// <summary>umpin_request_wait</summary>
        public static NativeResult WaitRequest(RequestHandle request)
        {
            BufferHandle buffer;
            ErrorHandle error;
            uint status = NativeMethods.umpin_request_wait(request, StepMilliseconds, out buffer, out error);
            return new NativeResult(status, TakeText(status, buffer), TakeError(status, error));
        }

        /// <summary>umpin_batch_new</summary>
        public static NativeResult NewBatch(SessionHandle session, uint parallelism)
        {
            BatchHandle batch;
            ErrorHandle error;
            uint status = NativeMethods.umpin_batch_new(session, parallelism, out batch, out error);
            return Made(status, batch, error);
        }

        /// <summary>umpin_batch_submit</summary>
        public static NativeResult BatchSubmit(BatchHandle batch, PlanHandle plan)
        {
            ErrorHandle error;
            uint status = NativeMethods.umpin_batch_submit(batch, plan, out error);
            return new NativeResult(status, null, TakeError(status, error));
        }

        /// <summary>umpin_batch_collect</summary>
        public static NativeResult BatchCollect(BatchHandle batch, bool wait)
        {
            ulong index;
            BufferHandle buffer;
            BufferHandle secret;
            ErrorHandle error;
            uint status = NativeMethods.umpin_batch_collect(
                batch, wait ? StepMilliseconds : 0, out index, out buffer, out secret, out error);
            NativeResult result = new NativeResult(status, TakeText(status, buffer), TakeError(status, error));
            result.Pin = TakeSecret(status, secret);
            return result;
        }

        /// <summary>Whether the status says that the call itself was wrong or the library is unusable (family 1xx).</summary>
        public static bool IsMisuse(uint status)
        {
            return status >= 100 && status < 200;
        }

        private static NativeResult Made(uint status, SafeHandle handle, ErrorHandle error)
        {
            NativeResult result = new NativeResult(status, null, TakeError(status, error));
            if (status == Ok)
            {
                result.Handle = handle;
                OperationHandle operation = handle as OperationHandle;
                if (operation != null)
                {
                    operation.Register();
                }
            }
            else
            {
                handle.Dispose();
            }

            return result;
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
                if (status <= Cancelled || error.IsInvalid)
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
