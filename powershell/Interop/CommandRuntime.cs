using System;
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Remoting;
using System.Reflection;

namespace UMMailboxPin
{
    /// <summary>What the running function may do: write to its streams, ask, end, and see whether it is being stopped.</summary>
    /// <remarks>
    /// What an error action or a command downstream throws passes the methods of $PSCmdlet as it is. Objects are not written here: the
    /// engine takes them from an <see cref="Output"/>.
    /// </remarks>
    public sealed class CommandRuntime
    {
        private readonly PSCmdlet cmdlet;
        private readonly PSVariableIntrinsics variables;
        private readonly Hashtable warned = new Hashtable();

        /// <summary>
        /// For the $PSCmdlet, $ExecutionContext and $PSBoundParameters of a function, which gets its caller's preferences. Every function
        /// calls this first, perhaps on the assembly of another copy of the module, which ends the function. So the signature must not
        /// change in later versions.
        /// </summary>
        public CommandRuntime(object cmdlet, object context, IDictionary bound)
        {
            this.cmdlet = (PSCmdlet)cmdlet;
            Bound = bound;
            Engine = new Engine(cmdlet);
            SessionState function = ((EngineIntrinsics)context).SessionState;
            variables = function.PSVariable;
            Module = function.Module;
            Preferences.Take(this.cmdlet.SessionState.PSVariable, variables, bound);
            if (Module.OnRemove == null)
            {
                // With the first command and not at import, which it would make a quarter slower. PowerShell goes on with an assembly of
                // this name that is loaded already, whatever file it came from.
                string other = Library.CheckAssembly(Module);
                if (other != null)
                {
                    Terminate(NewError("NativeLibraryMismatch", other, "Open a new PowerShell session.", Module.ModuleBase));
                }

                // The session belongs to the module that has the assembly: one that requires it may be imported again in mid-pipeline.
                Module.OnRemove = ScriptBlock.Create(
                    Module.RequiredModules.Count == 0 ? "[UMMailboxPin.SessionCache]::CloseCurrent()" : string.Empty);
            }
        }

        /// <summary>The $PSCmdlet.</summary>
        internal PSCmdlet Cmdlet
        {
            get { return cmdlet; }
        }

        /// <summary>What is bound to the function's parameters: in process, of the current item too.</summary>
        internal IDictionary Bound { get; private set; }

        /// <summary>The module of the function.</summary>
        internal PSModuleInfo Module { get; private set; }

        /// <summary>Whether there is a command upstream.</summary>
        internal bool ExpectingInput
        {
            get { return cmdlet.MyInvocation.ExpectingInput; }
        }

        /// <summary>The function's name.</summary>
        public string Name
        {
            get { return cmdlet.MyInvocation.MyCommand.Name; }
        }

        /// <summary>The folder that relative paths count from.</summary>
        internal string Folder
        {
            get
            {
                return (string)CallInternally(delegate
                {
                    return cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath;
                });
            }
        }

        /// <summary>Whether the pipeline is being stopped, as by Ctrl+C.</summary>
        internal bool Stopping
        {
            get { return cmdlet.Stopping; }
        }

        /// <summary>Whether an error ends the pipeline.</summary>
        internal bool StopsAtErrors
        {
            get { return Prefers("ErrorActionPreference", "Stop"); }
        }

        /// <summary>Whether only what would happen is to be shown.</summary>
        internal bool WhatIf
        {
            get { return Parameters.IsTrue(variables.GetValue("WhatIfPreference")); }
        }

        /// <summary>
        /// Whether the question is asked in the caller's scope although only $ConfirmPreference High, the default, calls for it.
        /// </summary>
        internal bool HighImpact { get; set; }

        /// <summary>Whether ShouldProcess asks before the change.</summary>
        internal bool Asks
        {
            get
            {
                return Prefers("ConfirmPreference", "Low") || Prefers("ConfirmPreference", "Medium")
                    || (HighImpact && Prefers("ConfirmPreference", "High"));
            }
        }

        /// <summary>
        /// The user who connected to this session, or null where it is no remote one. In a restricted session (JEA) another account
        /// carries out what that user asks for.
        /// </summary>
        internal string ConnectedUser
        {
            get
            {
                object value = variables.GetValue("PSSenderInfo");
                PSObject wrapped = value as PSObject;
                PSSenderInfo sender = (wrapped == null ? value : wrapped.BaseObject) as PSSenderInfo;
                PSIdentity user = sender == null || sender.UserInfo == null ? null : sender.UserInfo.Identity;
                string name = user == null ? null : user.Name;
                return string.IsNullOrEmpty(name) ? null : name;
            }
        }

        internal Engine Engine { get; private set; }

        /// <summary>
        /// Stays true where writing threw: the pipeline ends, because the caller wants it or a command downstream does, and what was
        /// thrown must pass as it is.
        /// </summary>
        internal bool Writing { get; private set; }

        /// <summary>Writes an error record.</summary>
        internal void WriteError(ErrorRecord record)
        {
            Writing = true;
            cmdlet.WriteError(record);
            Writing = false;
        }

        /// <summary>Writes the failure of a result as an error.</summary>
        internal void WriteError(NativeResult result, object target)
        {
            WriteError(ErrorCatalogue.Record(result, target));
        }

        /// <summary>Writes a warning; each once in a pipeline, however many mailboxes it applies to.</summary>
        internal void WriteWarning(string message)
        {
            WriteWarning(message, message);
        }

        /// <summary>The key tells apart what is said once.</summary>
        internal void WriteWarning(string message, string key)
        {
            if (warned.ContainsKey(key))
            {
                return;
            }

            warned[key] = true;
            WriteEachWarning(message);
        }

        /// <summary>Writes a warning, however often it has been said.</summary>
        internal void WriteEachWarning(string message)
        {
            Writing = true;
            cmdlet.WriteWarning(Line.Of(message));
            Writing = false;
        }

        /// <summary>Writes to the verbose stream.</summary>
        internal void WriteVerbose(string message)
        {
            Writing = true;
            cmdlet.WriteVerbose(Line.Of(message));
            Writing = false;
        }

        /// <summary>Writes what a result says for -Verbose.</summary>
        internal void WriteDiagnostics(NativeResult result)
        {
            foreach (object line in result.Diagnostics)
            {
                string text = line as string;
                if (!string.IsNullOrEmpty(text))
                {
                    WriteVerbose(text);
                }
            }
        }

        /// <summary>Whether progress is shown at all.</summary>
        internal bool ShowsProgress
        {
            get { return !Prefers("ProgressPreference", "SilentlyContinue") && !Prefers("ProgressPreference", "Ignore"); }
        }

        /// <summary>Shows how far a long run is. The source tells it from that of other commands.</summary>
        internal void WriteProgress(long source, string activity, string status)
        {
            Writing = true;
            cmdlet.CommandRuntime.WriteProgress(source, new ProgressRecord(0, activity, status));
            Writing = false;
        }

        /// <summary>
        /// Takes the progress away again. By the host itself: a pipeline that ends early, as by Select-Object -First or Ctrl+C, lets
        /// nothing be written any more.
        /// </summary>
        internal void EndProgress(long source, string activity)
        {
            ProgressRecord record = new ProgressRecord(0, activity, "Completed");
            record.RecordType = ProgressRecordType.Completed;
            InHost(delegate(PSHostUserInterface ui) { ui.WriteProgress(source, record); });
        }

        /// <summary>Ends the function with an error. Does not return.</summary>
        public void Terminate(object record)
        {
            Writing = true;
            cmdlet.ThrowTerminatingError((ErrorRecord)record);
        }

        /// <summary>Ends the function with the failure of a result. Does not return.</summary>
        internal void Terminate(NativeResult result, object target)
        {
            Terminate(ErrorCatalogue.Record(result, target));
        }

        /// <summary>An error record by its id in the catalogue.</summary>
        internal ErrorRecord NewError(string id, string message, string recommendedAction, object target)
        {
            return ErrorCatalogue.Record(id, Line.Of(message), recommendedAction, target, null);
        }

        /// <summary>
        /// ShouldProcess that fails closed: false, and the reason in <paramref name="failure"/>, where nobody can be asked (not
        /// interactive, end of input, job). -WhatIf shows the sentence alone; -Confirm only the question, so that carries the
        /// sentence.
        /// </summary>
        internal bool ShouldProcess(string sentence, out ErrorRecord failure)
        {
            sentence = Line.Of(sentence);
            string question = "Are you sure you want to perform this action?" + Environment.NewLine + sentence;
            Confirmation confirmation = new Confirmation(cmdlet, sentence, question);
            failure = null;
            try
            {
                return confirmation.IsGiven(Asks);
            }
            catch (Exception exception)
            {
                if (IsPipelineStop(exception))
                {
                    throw;
                }

                failure = ErrorCatalogue.ConfirmationImpossible(exception.GetBaseException());
                return false;
            }
        }

        /// <summary>The same for a function that has nothing under way: where nobody can be asked, it ends.</summary>
        internal bool ShouldProcess(string sentence)
        {
            ErrorRecord failure;
            bool go = ShouldProcess(sentence, out failure);
            if (failure != null)
            {
                Terminate(failure);
            }

            return go;
        }

        /// <summary>Says what happened where nothing can be written any more: after a stop, in the host itself.</summary>
        internal void Tell(string message)
        {
            // Where a host shows nothing, the audit has it.
            InHost(delegate(PSHostUserInterface ui) { ui.WriteWarningLine(Line.Of(message)); });
        }

        /// <summary>Ends the flow where the pipeline is being stopped: any write throws then.</summary>
        internal void ThrowIfStopping()
        {
            if (Stopping)
            {
                WriteVerbose("");
            }
        }

        /// <summary>
        /// Runs an action when the function has ended, however it did. A function is not told that a command upstream failed: only
        /// the disposal of its cmdlet follows that, for which PowerShell since 3.0 has an event of its own. Where a later one had it
        /// no more, handles would be freed by the garbage collector instead.
        /// </summary>
        internal void WhenDisposed(Action action)
        {
            EventInfo disposing = cmdlet.GetType().GetEvent(
                "DisposingEvent", BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
            if (disposing != null)
            {
                EventHandler handler = delegate { action(); };
                disposing.GetAddMethod(true).Invoke(cmdlet, new object[] { handler });
            }
        }

        /// <summary>
        /// Calls what needs a provider as an internal command does: the providers of a restricted session (JEA) are hidden from a
        /// command that its user called. What is called must not throw, because the script would leave an error record.
        /// </summary>
        internal object CallInternally(Func<object> function)
        {
            object result = ScriptBlock.Create("& { $args[0].Invoke() } $args[0]").InvokeReturnAsIs(function);
            PSObject wrapped = result as PSObject;
            return wrapped == null ? result : wrapped.BaseObject;
        }

        private void InHost(Action<PSHostUserInterface> show)
        {
            PSHostUserInterface ui = cmdlet.Host == null ? null : cmdlet.Host.UI;
            if (ui == null)
            {
                return;
            }

            try
            {
                show(ui);
            }
            catch (Exception)
            {
                // A host that shows no such thing.
            }
        }

        internal static bool IsPipelineStop(Exception exception)
        {
            for (Type type = exception.GetType(); type != null; type = type.BaseType)
            {
                if (type.Name == "PipelineStoppedException" || type.Name == "FlowControlException")
                {
                    return true;
                }
            }

            return false;
        }

        private bool Prefers(string preference, string value)
        {
            return string.Equals(Convert.ToString(variables.GetValue(preference)), value, StringComparison.OrdinalIgnoreCase);
        }
    }
}
