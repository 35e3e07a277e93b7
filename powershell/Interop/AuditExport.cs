using System;
using System.Collections;
using System.IO;

namespace UMMailboxPin
{
    /// <summary>One call of Export-UMPinAudit.</summary>
    public sealed class AuditExport : ConfirmedChange
    {
        private readonly string path;

        /// <summary>Opens the directory. An error is about the path as it was typed.</summary>
        public AuditExport(CommandRuntime runtime) : base(runtime, SessionCache.OpenDirectory(runtime))
        {
            path = FilePath.OfAudit(runtime, Convert.ToString(runtime.Bound["Path"]));
        }

        internal override string LookUp()
        {
            return "Exporting the audit log of the directory to file \"" + path + "\".";
        }

        internal override object Input
        {
            get { return Runtime.Bound["Path"]; }
        }

        internal override IEnumerable Commit()
        {
            Hashtable export = new Hashtable();
            export["operation"] = "auditExport";
            export["path"] = path;
            Parameters.AddSwitch(export, Runtime.Bound, "Force");
            NativeResult result;
            if (!TryCommit(export, out result))
            {
                yield break;
            }

            if (Parameters.IsTrue(Runtime.Bound["PassThru"]))
            {
                yield return new FileInfo(path);
            }

            AuditLog.WriteFaults(Runtime, result);
            Runtime.WriteVerbose(result.Value["entries"] + " entries were exported to \"" + path + "\".");
        }

        internal override string Done(Hashtable value)
        {
            return "The audit log was exported to \"" + path + "\" before the stop took effect.";
        }
    }
}
