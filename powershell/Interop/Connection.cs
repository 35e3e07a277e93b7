using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The one open session of a runspace, opened again when the configuration or the places it names have changed.</summary>
    public sealed class Connection
    {
        private readonly Places places;

        private Connection(Places places)
        {
            this.places = places;
        }

        /// <summary>What opening gave: a failure with its target, or the session as its handle.</summary>
        public Answer Answer { get; private set; }

        /// <summary>The session, where opening did not fail.</summary>
        public SessionHandle Session
        {
            get { return (SessionHandle)Answer.Handle; }
        }

        /// <summary>The last answer about the directory behind the session, or null.</summary>
        public Answer Status { get; private set; }

        /// <summary>What kind of directory it is, as the configuration names it; known once the status is.</summary>
        public string Directory
        {
            get { return Status.Value["directory"] as string; }
        }

        /// <summary>The connection given, or a new one where that is null or no longer right. The module's version must fit.</summary>
        public static Connection Open(Connection current, CommandRuntime runtime, string moduleVersion)
        {
            Places places = Places.Find(runtime.Folder);
            if (current != null && current.Serves(places))
            {
                return current;
            }

            if (current != null)
            {
                current.Close();
            }

            Connection made = new Connection(places);
            made.Answer = LibraryProblem(moduleVersion) ?? made.PlacesProblem()
                ?? Native.OpenSession(places, "UMMailboxPin/" + moduleVersion, runtime.ConnectedUser);
            made.Answer.TargetObject = made.Answer.TargetObject ?? places.ConfigFile;
            return made;
        }

        /// <summary>Asks whether the directory can be used.</summary>
        public Answer AskStatus(CommandRuntime runtime)
        {
            Hashtable request = new Hashtable();
            request["operation"] = "status";
            Status = Send(runtime, request);
            return Status;
        }

        /// <summary>Tells what the administrator should mend although commands go on.</summary>
        public void WriteWarnings(CommandRuntime runtime)
        {
            foreach (object one in Status.Warnings)
            {
                Hashtable warning = (Hashtable)one;
                runtime.WriteWarning((warning["message"] + " " + warning["recommendedAction"]).TrimEnd());
            }
        }

        /// <summary>Sends a request and waits for its answer.</summary>
        internal Answer Send(CommandRuntime runtime, IDictionary request)
        {
            return Wait(runtime, Native.NewRequest(Session, request));
        }

        /// <summary>
        /// Waits for the answer to a request that was made. Stopped meanwhile, it cancels the request and waits on: for the end
        /// before the commit point, which comes soon, or for the outcome after it.
        /// </summary>
        internal Answer Wait(CommandRuntime runtime, Answer made)
        {
            if (made.Failed)
            {
                return Checked(made);
            }

            using (RequestHandle request = (RequestHandle)made.Handle)
            {
                bool cancelled = false;
                Answer answer = Native.WaitRequest(request);
                while (answer.Pending)
                {
                    if (!cancelled && runtime.Stopping)
                    {
                        request.Cancel();
                        cancelled = true;
                    }

                    answer = Native.WaitRequest(request);
                }

                return Checked(answer);
            }
        }

        /// <summary>After a panic, or in a forked process, the session answers nothing any more: the next command opens one anew.</summary>
        internal Answer Checked(Answer answer)
        {
            if (answer.Status >= 105 && answer.Status <= 107)
            {
                Close();
            }

            return answer;
        }

        /// <summary>Ends the session.</summary>
        public void Close()
        {
            if (Session != null)
            {
                Session.Dispose();
            }
        }

        private bool Serves(Places wanted)
        {
            return places.Key == wanted.Key && Session != null && !Session.IsClosed;
        }

        private static Answer LibraryProblem(string moduleVersion)
        {
            string problem = Library.Load();
            if (problem != null)
            {
                return Answer.Refusal(
                    "NativeLibraryMissing", "The native library cannot be loaded from '" + Library.FilePath + "'. " + problem,
                    "Install a UMMailboxPin package that contains the native library for this platform.", Library.FilePath);
            }

            problem = Library.CheckVersion(moduleVersion);
            return problem == null ? null : Answer.Refusal(
                "NativeLibraryMismatch", problem,
                "Open a new PowerShell session, and reinstall UMMailboxPin if the error stays.", Library.FilePath);
        }

        private Answer PlacesProblem()
        {
            return !places.ConfigMissing ? null : Answer.Refusal(
                "ConfigurationInvalid",
                "The environment variable UMPIN_CONFIG names '" + places.ConfigFile + "', which does not exist.",
                "Correct or remove the environment variable UMPIN_CONFIG.", places.ConfigFile);
        }
    }
}
