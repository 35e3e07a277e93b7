using System.Collections;
using System.Runtime.InteropServices;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>What one call of the library gave, read already. The module adds the error record.</summary>
    public sealed class Answer
    {
        private static readonly object[] None = new object[0];

        internal Answer(uint status, string response, string error)
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
        internal static Answer Refusal(string id, string message, string recommendedAction, object target)
        {
            Answer answer = new Answer(Native.Refused, null, null);
            answer.Error = new Hashtable();
            answer.Error["id"] = id;
            answer.Error["message"] = message;
            answer.Error["recommendedAction"] = recommendedAction;
            answer.TargetObject = target;
            return answer;
        }

        /// <summary>The status as in umpin.h.</summary>
        public uint Status { get; private set; }

        /// <summary>Not finished: call again.</summary>
        public bool Pending
        {
            get { return Status == Native.Pending; }
        }

        /// <summary>Neither done nor pending.</summary>
        public bool Failed
        {
            get { return Status != Native.Ok && Status != Native.Pending; }
        }

        /// <summary>The response, or null.</summary>
        public Hashtable Value { get; private set; }

        /// <summary>The library's error, or null.</summary>
        public Hashtable Error { get; private set; }

        /// <summary>For -Verbose: of the response or of the error; for an ambiguous value the mailboxes that it matches.</summary>
        public object[] Diagnostics { get; private set; }

        /// <summary>Whether the response holds any warning.</summary>
        public bool HasWarnings
        {
            get
            {
                object[] warnings = Value == null ? null : Value["warnings"] as object[];
                return warnings != null && warnings.Length > 0;
            }
        }

        /// <summary>Succeeded, and the pipeline that asked writes nothing about it.</summary>
        public bool Silent { get; internal set; }

        /// <summary>The generated PIN, or null.</summary>
        public SecureString Pin { get; internal set; }

        /// <summary>The session, plan, request or batch that was made, or null.</summary>
        public SafeHandle Handle { get; internal set; }

        /// <summary>The error record, made by the module.</summary>
        public object Failure { get; set; }

        /// <summary>What the caller named, for the error record.</summary>
        public object TargetObject { get; set; }
    }
}
