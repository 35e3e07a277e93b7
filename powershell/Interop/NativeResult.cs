using System.Collections;
using System.Runtime.InteropServices;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>What one call of the library gave, read already.</summary>
    public sealed class NativeResult
    {
        private static readonly object[] None = new object[0];

        internal NativeResult(uint status, string response, string error)
        {
            Status = status;
            Value = Json.Read(response) as Hashtable;
            Error = Json.Read(error) as Hashtable;
            Hashtable source = Error ?? Value;
            Diagnostics = (source == null ? null : source["diagnostics"] as object[]) ?? None;
            Hashtable details = Error == null ? null : Error["details"] as Hashtable;
            object[] matches = details == null ? null : details["matches"] as object[];
            if (matches != null)
            {
                ArrayList lines = new ArrayList(Diagnostics);
                foreach (object match in matches)
                {
                    lines.Add("Matching mailbox: " + match);
                }

                Diagnostics = lines.ToArray();
            }
        }

        /// <summary>What fails before the library is asked, in the form of its own errors.</summary>
        internal static NativeResult LocalError(string id, string message, string recommendedAction, object target)
        {
            NativeResult result = new NativeResult(Native.LocalError, null, null);
            result.Error = new Hashtable();
            result.Error["id"] = id;
            result.Error["message"] = message;
            result.Error["recommendedAction"] = recommendedAction;
            result.TargetObject = target;
            return result;
        }

        /// <summary>Nothing was given that could name what is meant.</summary>
        internal static NativeResult NoIdentity(string what)
        {
            return LocalError(
                "InvalidIdentity", "The value of -Identity is empty or has no property that names " + what + ".",
                "Pass a GUID, DN, canonical name, DOMAIN\\account, UPN, e-mail address, alias or name.", null);
        }

        /// <summary>The status as in umpin.h.</summary>
        public uint Status { get; private set; }

        /// <summary>Not finished: call again.</summary>
        public bool Pending
        {
            get { return Status == Native.Pending; }
        }

        /// <summary>Ended before its commit point, because it was cancelled: nothing was changed.</summary>
        public bool Cancelled
        {
            get { return Status == Native.Cancelled; }
        }

        /// <summary>Neither done nor pending nor cancelled.</summary>
        public bool Failed
        {
            get { return Status != Native.Ok && !Pending && !Cancelled; }
        }

        /// <summary>The response, or null.</summary>
        public Hashtable Value { get; private set; }

        /// <summary>The library's error, or null.</summary>
        public Hashtable Error { get; private set; }

        /// <summary>For -Verbose: of the response or of the error; for an ambiguous value the mailboxes that it matches.</summary>
        public object[] Diagnostics { get; private set; }

        /// <summary>The warnings of the response, or of the error.</summary>
        internal object[] Warnings
        {
            get
            {
                Hashtable source = Error ?? Value;
                return (source == null ? null : source["warnings"] as object[]) ?? None;
            }
        }

        /// <summary>The items of a listing.</summary>
        internal object[] Items
        {
            get { return Value == null ? None : Value["items"] as object[] ?? None; }
        }

        /// <summary>The generated PIN, or null.</summary>
        public SecureString Pin { get; internal set; }

        /// <summary>The session, plan, request or batch that was made, or null.</summary>
        public SafeHandle Handle { get; internal set; }

        /// <summary>What the caller named, for the error record.</summary>
        public object TargetObject { get; set; }
    }
}
