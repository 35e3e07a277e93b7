using System;
using System.IO;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>Paths as they were typed, resolved against PowerShell's location and drives, which the library does not know.</summary>
    internal static class FilePath
    {
        /// <summary>The full path of an audit log, which need not exist. What is no path of a file ends the command.</summary>
        internal static string OfAudit(CommandRuntime runtime, string path)
        {
            string problem;
            string file = Resolve(runtime, path, out problem);
            Check(runtime, "AuditFileUnusable", problem, "Pass the path of a file.", path);
            return file;
        }

        /// <summary>The full path of a file to be imported. One that does not exist ends the command.</summary>
        internal static string OfImport(CommandRuntime runtime, string path)
        {
            string problem;
            string file = Resolve(runtime, path, out problem);
            if (problem == null && Directory.Exists(file))
            {
                problem = "'" + file + "' is a folder and not a file.";
            }

            if (problem == null && !File.Exists(file))
            {
                problem = "The file '" + file + "' does not exist.";
            }

            Check(runtime, "ImportInvalid", problem, "Pass the path of a CSV or LDIF file.", path);
            return file;
        }

        private static void Check(CommandRuntime runtime, string id, string problem, string recommendedAction, string path)
        {
            if (problem != null)
            {
                runtime.Terminate(runtime.NewError(id, problem, recommendedAction, path));
            }
        }

        private static string Resolve(CommandRuntime runtime, string path, out string problem)
        {
            string found = null;
            string resolved = (string)runtime.CallInternally(delegate { return Resolve(runtime.Cmdlet.SessionState.Path, path, out found); });
            problem = found;
            return resolved;
        }

        private static string Resolve(PathIntrinsics paths, string path, out string problem)
        {
            problem = null;
            try
            {
                ProviderInfo provider;
                PSDriveInfo drive;
                string resolved = paths.GetUnresolvedProviderPathFromPSPath(path, out provider, out drive);
                if (provider.Name == "FileSystem")
                {
                    return resolved;
                }

                problem = "'" + path + "' is not a file.";
            }
            catch (Exception exception)
            {
                problem = "'" + path + "' is not a file. " + exception.GetBaseException().Message;
            }

            return path;
        }
    }
}
