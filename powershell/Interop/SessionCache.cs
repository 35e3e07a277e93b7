using System.Collections;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace UMMailboxPin
{
    /// <summary>The one open session of a runspace, opened again when the configuration or the places it names have changed.</summary>
    public sealed class SessionCache
    {
        private static readonly ConditionalWeakTable<Runspace, SessionCache> Opened = new ConditionalWeakTable<Runspace, SessionCache>();
        private readonly ConfigLocator locator;

        private SessionCache(ConfigLocator locator)
        {
            this.locator = locator;
        }

        /// <summary>What opening gave: a failure with its target, or the session as its handle.</summary>
        internal NativeResult Result { get; private set; }

        /// <summary>The session, where opening did not fail.</summary>
        internal SessionHandle Session
        {
            get { return (SessionHandle)Result.Handle; }
        }

        /// <summary>The last result about the directory behind the session, or null.</summary>
        private NativeResult Status { get; set; }

        /// <summary>What kind of directory it is, as the configuration names it; known once the status is.</summary>
        internal string Directory
        {
            get { return Status.Value["directory"] as string; }
        }

        /// <summary>The session of this runspace. One that cannot be opened ends the command.</summary>
        internal static SessionCache Open(CommandRuntime runtime)
        {
            SessionCache cache = TryOpen(runtime);
            if (cache.Result.Failed)
            {
                runtime.Terminate(cache.Result, cache.Result.TargetObject);
            }

            return cache;
        }

        /// <summary>The same, with a usable directory behind it, so that what would fail for every item fails once.</summary>
        internal static SessionCache OpenDirectory(CommandRuntime runtime)
        {
            SessionCache cache = Open(runtime);
            Hashtable request = new Hashtable();
            request["operation"] = "status";
            cache.Status = cache.Send(runtime, request);
            if (cache.Status.Failed)
            {
                runtime.Terminate(cache.Status, null);
            }

            // What the administrator should correct although commands go on.
            foreach (Hashtable warning in cache.Status.Warnings)
            {
                runtime.WriteWarning((warning["message"] + " " + warning["recommendedAction"]).TrimEnd());
            }

            return cache;
        }

        /// <summary>The session of this runspace; its result says whether it could be opened.</summary>
        internal static SessionCache TryOpen(CommandRuntime runtime)
        {
            ConfigLocator locator = ConfigLocator.Find(runtime.Folder);
            SessionCache current;
            if (Opened.TryGetValue(Runspace.DefaultRunspace, out current))
            {
                if (current.Serves(locator))
                {
                    return current;
                }

                current.Close();
                Opened.Remove(Runspace.DefaultRunspace);
            }

            string version = runtime.Module.Version.ToString(3);
            SessionCache made = new SessionCache(locator);
            made.Result = LibraryProblem(version) ?? made.LocatorProblem()
                ?? Native.OpenSession(locator, "UMMailboxPin/" + version, runtime.ConnectedUser);
            made.Result.TargetObject = made.Result.TargetObject ?? locator.ConfigFile;
            Opened.Add(Runspace.DefaultRunspace, made);
            return made;
        }

        /// <summary>Ends the session of this runspace: the module is being removed.</summary>
        public static void CloseCurrent()
        {
            SessionCache current;
            if (Opened.TryGetValue(Runspace.DefaultRunspace, out current))
            {
                current.Close();
            }
        }

        /// <summary>Sends a request and waits for its result.</summary>
        internal NativeResult Send(CommandRuntime runtime, IDictionary request)
        {
            return Wait(runtime, Native.NewRequest(Session, request));
        }

        /// <summary>
        /// Waits for the result of a request that was made. Stopped meanwhile, it cancels the request and waits on: for the end
        /// before the commit point, which comes soon, or for the outcome after it.
        /// </summary>
        internal NativeResult Wait(CommandRuntime runtime, NativeResult made)
        {
            if (made.Failed)
            {
                return Checked(made);
            }

            using (RequestHandle request = (RequestHandle)made.Handle)
            {
                bool cancelled = false;
                NativeResult result = Native.WaitRequest(request);
                while (result.Pending)
                {
                    if (!cancelled && runtime.Stopping)
                    {
                        request.Cancel();
                        cancelled = true;
                    }

                    result = Native.WaitRequest(request);
                }

                return Checked(result);
            }
        }

        /// <summary>After a panic, or in a forked process, the session answers nothing any more: the next command opens one anew.</summary>
        internal NativeResult Checked(NativeResult result)
        {
            if (result.Status >= 105 && result.Status <= 107)
            {
                Close();
            }

            return result;
        }

        /// <summary>Ends the session.</summary>
        private void Close()
        {
            if (Session != null)
            {
                Session.Dispose();
            }
        }

        private bool Serves(ConfigLocator wanted)
        {
            return locator.Key == wanted.Key && Session != null && !Session.IsClosed;
        }

        private static NativeResult LibraryProblem(string moduleVersion)
        {
            string problem = Library.Load();
            if (problem != null)
            {
                return NativeResult.LocalError(
                    "NativeLibraryMissing", "The native library cannot be loaded from '" + Library.FilePath + "'. " + problem,
                    "Install a UMMailboxPin package that contains the native library for this platform.", Library.FilePath);
            }

            problem = Library.CheckVersion(moduleVersion);
            return problem == null ? null : NativeResult.LocalError(
                "NativeLibraryMismatch", problem,
                "Open a new PowerShell session, and reinstall UMMailboxPin if the error stays.", Library.FilePath);
        }

        private NativeResult LocatorProblem()
        {
            return !locator.ConfigMissing ? null : NativeResult.LocalError(
                "ConfigurationInvalid",
                "The environment variable UMPIN_CONFIG names '" + locator.ConfigFile + "', which does not exist.",
                "Correct or remove the environment variable UMPIN_CONFIG.", locator.ConfigFile);
        }
    }
}
