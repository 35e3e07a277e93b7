using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace UmpinTest
{
    /// <summary>A host whose user answers every question for a secret with one text.</summary>
    public sealed class PromptingHost : PSHost
    {
        private readonly Guid id = Guid.NewGuid();
        private readonly Answering ui;

        public PromptingHost(string answer)
        {
            ui = new Answering(answer);
        }

        public List<string> Asked { get { return ui.Asked; } }

        public override CultureInfo CurrentCulture { get { return CultureInfo.InvariantCulture; } }
        public override CultureInfo CurrentUICulture { get { return CultureInfo.InvariantCulture; } }
        public override Guid InstanceId { get { return id; } }
        public override string Name { get { return "PromptingHost"; } }
        public override PSHostUserInterface UI { get { return ui; } }
        public override Version Version { get { return new Version(1, 0); } }
        public override void EnterNestedPrompt() { throw new NotSupportedException(); }
        public override void ExitNestedPrompt() { throw new NotSupportedException(); }
        public override void NotifyBeginApplication() { }
        public override void NotifyEndApplication() { }
        public override void SetShouldExit(int exitCode) { }

        private sealed class Answering : PSHostUserInterface
        {
            private readonly string answer;

            public readonly List<string> Asked = new List<string>();

            public Answering(string answer)
            {
                this.answer = answer;
            }

            public override PSHostRawUserInterface RawUI { get { return null; } }

            public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
            {
                Dictionary<string, PSObject> answers = new Dictionary<string, PSObject>();
                foreach (FieldDescription field in descriptions)
                {
                    Asked.Add(field.Name + " " + field.ParameterTypeName);
                    answers[field.Name] = PSObject.AsPSObject(Secret());
                }

                return answers;
            }

            public override SecureString ReadLineAsSecureString()
            {
                Asked.Add("line");
                return Secret();
            }

            private SecureString Secret()
            {
                SecureString secret = new SecureString();
                foreach (char c in answer)
                {
                    secret.AppendChar(c);
                }

                return secret;
            }

            public override string ReadLine() { throw new NotSupportedException(); }
            public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) { throw new NotSupportedException(); }
            public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) { throw new NotSupportedException(); }
            public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName, PSCredentialTypes types, PSCredentialUIOptions options) { throw new NotSupportedException(); }
            public override void Write(string value) { }
            public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) { }
            public override void WriteDebugLine(string message) { }
            public override void WriteErrorLine(string value) { }
            public override void WriteLine(string value) { }
            public override void WriteProgress(long sourceId, ProgressRecord record) { }
            public override void WriteVerboseLine(string message) { }
            public override void WriteWarningLine(string message) { }
        }
    }
}
