using System;
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Remoting;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace UMMailboxPin
{
    /// <summary>What the running function may do: write to its streams, ask, end, and see whether it is being stopped.</summary>
    /// <remarks>
    /// Everything goes through delegates that are bound to $PSCmdlet. What an error action or a command downstream throws passes them
    /// as it is; calls by reflection, and methods called by a script, wrap it. Objects are not written here: the engine takes them
    /// from an <see cref="Output"/>.
    /// </remarks>
    public sealed class CommandRuntime
    {
        private readonly object cmdlet;
        private readonly Func<bool> stopping;
        private readonly Func<string, object> variable;
        private readonly Hashtable warned = new Hashtable();
        private Action<object> error;
        private Action<object> terminate;
        private Action<string> warning;
        private Action<string> verbose;

        /// <summary>For the $PSCmdlet, $ExecutionContext and $PSBoundParameters of a function, which gets its caller's preferences.</summary>
        public CommandRuntime(object cmdlet, object context, IDictionary bound)
        {
            this.cmdlet = cmdlet;
            Engine = new Engine(cmdlet);
            Parameters.TakePreferences(cmdlet, context, bound);
            object variables = Parameters.Variables(context);
            variable = (Func<string, object>)Delegate.CreateDelegate(
                typeof(Func<string, object>), variables, variables.GetType().GetMethod("GetValue", new Type[] { typeof(string) }));
            stopping = (Func<bool>)Delegate.CreateDelegate(
                typeof(Func<bool>), cmdlet, cmdlet.GetType().GetProperty("Stopping").GetGetMethod());
        }

        /// <summary>The $PSCmdlet.</summary>
        public object Cmdlet
        {
            get { return cmdlet; }
        }

        /// <summary>The function's name.</summary>
        public string Name
        {
            get { return Convert.ToString(Engine.Get(Engine.Get(Engine.Get(cmdlet, "MyInvocation"), "MyCommand"), "Name")); }
        }

        /// <summary>The folder that relative paths count from.</summary>
        public string Folder
        {
            get
            {
                object state = Engine.Get(cmdlet, "SessionState");
                object path = Engine.Get(state, "Path");
                return Convert.ToString(Engine.Get(Engine.Get(path, "CurrentFileSystemLocation"), "ProviderPath"));
            }
        }

        /// <summary>Whether the pipeline is being stopped, as by Ctrl+C.</summary>
        public bool Stopping
        {
            get { return stopping(); }
        }

        /// <summary>Whether an error ends the pipeline.</summary>
        public bool StopsAtErrors
        {
            get { return Prefers("ErrorActionPreference", "Stop"); }
        }

        /// <summary>Whether only what would happen is to be shown.</summary>
        public bool WhatIf
        {
            get { return Parameters.IsTrue(variable("WhatIfPreference")); }
        }

        /// <summary>Whether what the function does is of high impact; medium otherwise.</summary>
        public bool HighImpact { get; set; }

        /// <summary>Whether ShouldProcess asks before the change.</summary>
        public bool Asks
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
        public string ConnectedUser
        {
            get
            {
                object value = variable("PSSenderInfo");
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
        public void WriteError(object record)
        {
            error = error ?? Bind("WriteError", "ErrorRecord");
            Writing = true;
            error(record);
            Writing = false;
        }

        /// <summary>Writes the failure of an answer as an error.</summary>
        public void WriteError(Answer answer, object target)
        {
            WriteError(ErrorCatalogue.Record(this, answer, target));
        }

        /// <summary>Writes a warning; each once in a pipeline, however many mailboxes it applies to.</summary>
        public void WriteWarning(string message)
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
            warning = warning ?? Bind("WriteWarning");
            Writing = true;
            warning(Line.Of(message));
            Writing = false;
        }

        /// <summary>Writes to the verbose stream.</summary>
        public void WriteVerbose(string message)
        {
            verbose = verbose ?? Bind("WriteVerbose");
            Writing = true;
            verbose(Line.Of(message));
            Writing = false;
        }

        /// <summary>Writes what an answer says for -Verbose.</summary>
        internal void WriteDiagnostics(Answer answer)
        {
            foreach (object line in answer.Diagnostics)
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
            object commands = Engine.Get(cmdlet, "CommandRuntime");
            Type record = Engine.Find("ProgressRecord");
            MethodInfo write = Engine.Find("ICommandRuntime").GetMethod("WriteProgress", new Type[] { typeof(long), record });
            Writing = true;
            try
            {
                write.Invoke(commands, new object[] { source, Engine.ProgressRecord(activity, status) });
            }
            catch (TargetInvocationException exception)
            {
                ExceptionDispatchInfo.Capture(exception.InnerException).Throw();
            }

            Writing = false;
        }

        /// <summary>
        /// Takes the progress away again. By the host itself: a pipeline that ends early, as by Select-Object -First or Ctrl+C, lets
        /// nothing be written any more.
        /// </summary>
        internal void EndProgress(long source, string activity)
        {
            Type record = Engine.Find("ProgressRecord");
            InHost("WriteProgress", new Type[] { typeof(long), record }, source, Engine.ProgressRecord(activity, null));
        }

        /// <summary>Ends the function with an error. Does not return.</summary>
        public void Terminate(object record)
        {
            terminate = terminate ?? Bind("ThrowTerminatingError", "ErrorRecord");
            Writing = true;
            terminate(record);
        }

        /// <summary>Ends the function with the failure of an answer. Does not return.</summary>
        public void Terminate(Answer answer, object target)
        {
            Terminate(ErrorCatalogue.Record(this, answer, target));
        }

        /// <summary>An error record: no PIN was given, and it could not be asked for.</summary>
        public object NewMissingPin(string why)
        {
            return ErrorCatalogue.MissingPin(Engine, why);
        }

        /// <summary>An error record by its id in the catalogue.</summary>
        public object NewError(string id, string message, string recommendedAction, object target)
        {
            return ErrorCatalogue.Record(Engine, id, Line.Of(message), recommendedAction, target, null);
        }

        /// <summary>
        /// ShouldProcess that fails closed: false, and the reason in <paramref name="failure"/>, where nobody can be asked (not
        /// interactive, end of input, job). -WhatIf shows the sentence alone; -Confirm only the question, so that carries the
        /// sentence.
        /// </summary>
        internal bool ShouldProcess(string sentence, out object failure)
        {
            sentence = Line.Of(sentence);
            string question = "Are you sure you want to perform this action?" + Environment.NewLine + sentence;
            Confirmation confirmation = new Confirmation((PSCmdlet)cmdlet, sentence, question);
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

                failure = ErrorCatalogue.ConfirmationImpossible(Engine, exception.GetBaseException());
                return false;
            }
        }

        /// <summary>The same for a function that has nothing under way: where nobody can be asked, it ends.</summary>
        public bool ShouldProcess(string sentence)
        {
            object failure;
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
            InHost("WriteWarningLine", new Type[] { typeof(string) }, Line.Of(message));
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

        private void InHost(string method, Type[] types, params object[] arguments)
        {
            try
            {
                object ui = Engine.Get(Engine.Get(cmdlet, "Host"), "UI");
                if (ui != null)
                {
                    ui.GetType().GetMethod(method, types).Invoke(ui, arguments);
                }
            }
            catch (TargetInvocationException)
            {
                // A host that shows no such thing.
            }
        }

        private static bool IsPipelineStop(Exception exception)
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
            return string.Equals(Convert.ToString(variable(preference)), value, StringComparison.OrdinalIgnoreCase);
        }

        private Action<string> Bind(string method)
        {
            return (Action<string>)Delegate.CreateDelegate(
                typeof(Action<string>), cmdlet, cmdlet.GetType().GetMethod(method, new Type[] { typeof(string) }));
        }

        private Action<object> Bind(string method, string typeName)
        {
            Type type = Engine.Find(typeName);
            Type action = typeof(Action<>).MakeGenericType(type);
            Delegate write = Delegate.CreateDelegate(action, cmdlet, cmdlet.GetType().GetMethod(method, new Type[] { type }));
            object channel = Activator.CreateInstance(typeof(Channel<>).MakeGenericType(type), write);
            return (Action<object>)Delegate.CreateDelegate(typeof(Action<object>), channel, "Write");
        }
    }
}
