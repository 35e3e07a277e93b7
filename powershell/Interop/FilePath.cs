using System;
using System.Reflection;

namespace UMMailboxPin
{
    /// <summary>A path as it was typed, resolved against PowerShell's location and drives, which the library does not know.</summary>
    public sealed class FilePath
    {
        private FilePath(string fullName, string problem)
        {
            FullName = fullName;
            Problem = problem;
        }

        /// <summary>The full path; what was typed where there is a problem.</summary>
        public string FullName { get; private set; }

        /// <summary>Null, or why it is none of a file.</summary>
        public string Problem { get; private set; }

        /// <summary>Resolves what was typed. The file need not exist.</summary>
        public static FilePath Resolve(CommandRuntime runtime, string path)
        {
            object locations = Engine.Get(Engine.Get(runtime.Cmdlet, "SessionState"), "Path");
            Type provider = runtime.Engine.Find("ProviderInfo");
            MethodInfo resolve = locations.GetType().GetMethod(
                "GetUnresolvedProviderPathFromPSPath",
                new Type[] { typeof(string), provider.MakeByRefType(), runtime.Engine.Find("PSDriveInfo").MakeByRefType() });
            object[] arguments = { path, null, null };
            try
            {
                string resolved = (string)resolve.Invoke(locations, arguments);
                string name = Convert.ToString(Engine.Get(arguments[1], "Name"));
                return name == "FileSystem" ? new FilePath(resolved, null) : new FilePath(path, "'" + path + "' is not a file.");
            }
            catch (TargetInvocationException exception)
            {
                return new FilePath(path, "'" + path + "' is not a file. " + exception.GetBaseException().Message);
            }
        }
    }
}
