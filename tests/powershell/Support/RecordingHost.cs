using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace UmpinTest
{
    /// <summary>A host that keeps what is shown as progress: one line for each record.</summary>
    public sealed class RecordingHost : PSHost
    {
        private readonly Guid id = Guid.NewGuid();
        private readonly Recording ui = new Recording();

        public List<string> Progress { get { return ui.Shown; } }

        /// <summary>The bars that were shown and not taken away again.</summary>
        public int Open { get { return ui.Bars.Count; } }

        public override CultureInfo CurrentCulture { get { return CultureInfo.InvariantCulture; } }
        public override CultureInfo CurrentUICulture { get { return CultureInfo.InvariantCulture; } }
        public override Guid InstanceId { get { return id; } }
        public override string Name { get { return "RecordingHost"; } }
        public override PSHostUserInterface UI { get { return ui; } }
        public override Version Version { get { return new Version(1, 0); } }
        public override void EnterNestedPrompt() { throw new NotSupportedException(); }
        public override void ExitNestedPrompt() { throw new NotSupportedException(); }
        public override void NotifyBeginApplication() { }
        public override void NotifyEndApplication() { }
        public override void SetShouldExit(int exitCode) { }

        private sealed class Recording : PSHostUserInterface
        {
            public readonly List<string> Shown = new List<string>();
            // A bar is that of a source and an activity, as in the console.
            public readonly HashSet<string> Bars = new HashSet<string>();

            public override PSHostRawUserInterface RawUI { get { return null; } }

            public override void WriteProgress(long sourceId, ProgressRecord record)
            {
                lock (Shown)
                {
                    string bar = sourceId + "/" + record.ActivityId;
                    Shown.Add(record.RecordType + ": " + record.Activity + ": " + record.StatusDescription);
                    if (record.RecordType == ProgressRecordType.Completed)
                    {
                        Bars.Remove(bar);
                    }
                    else
                    {
                        Bars.Add(bar);
                    }
                }
            }

            public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) { throw new NotSupportedException(); }
            public override SecureString ReadLineAsSecureString() { throw new NotSupportedException(); }
            public override string ReadLine() { throw new NotSupportedException(); }
            public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) { throw new NotSupportedException(); }
            public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) { throw new NotSupportedException(); }
            public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName, PSCredentialTypes types, PSCredentialUIOptions options) { throw new NotSupportedException(); }
            public override void Write(string value) { }
            public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) { }
            public override void WriteDebugLine(string message) { }
            public override void WriteErrorLine(string value) { }
            public override void WriteLine(string value) { }
            public override void WriteVerboseLine(string message) { }
            public override void WriteWarningLine(string message) { }
        }
    }
}
