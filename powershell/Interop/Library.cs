using System;
using System.IO;
using System.Management.Automation;
using System.Reflection;

namespace UMMailboxPin
{
    /// <summary>Whether what is loaded belongs to the module that asks.</summary>
    public static class Library
    {
        /// <summary>Whether this assembly is that of the module, or of the module that it requires. Null: it is.</summary>
        internal static string CheckAssembly(PSModuleInfo module)
        {
            PSModuleInfo owner = module;
            foreach (PSModuleInfo required in module.RequiredModules)
            {
                owner = required;
            }

            string version = module.Version.ToString(3);
            string path = Path.Combine(owner.ModuleBase, "bin", "UMMailboxPin.Interop.dll");
            Assembly own = typeof(Library).Assembly;
            string ownVersion = own.GetName().Version.ToString(3);
            if (ownVersion == version && (IsSame(own.Location, Path.GetFullPath(path))
                || IsSame(RealPath.Of(own.Location), RealPath.Of(path))))
            {
                return null;
            }

            return "This session has loaded '" + own.Location + "' (version " + ownVersion + "); this module needs '" + path
                + "' (version " + version + ").";
        }

        private static bool IsSame(string one, string other)
        {
            return string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
        }

        /// <summary>The native library's file.</summary>
        public static string FilePath
        {
            get { return NativeFile.FullName; }
        }

        /// <summary>Loads the library. Null, or why it cannot be used.</summary>
        public static string Load()
        {
            if (!File.Exists(FilePath))
            {
                return "The file does not exist.";
            }

            uint abi;
            string version;
            return NativeFile.Load() ?? Native.Probe(out abi, out version);
        }

        /// <summary>Compares the loaded library with the module. Null: it fits.</summary>
        public static string CheckVersion(string moduleVersion)
        {
            uint abi;
            string version;
            Native.Probe(out abi, out version);
            if (abi == Native.AbiNumber && version.Split('-', '+')[0] == moduleVersion)
            {
                return null;
            }

            return "The native library that is loaded has version " + version + " (ABI " + abi + "); this module needs version "
                + moduleVersion + " (ABI " + Native.AbiNumber + ").";
        }
    }
}
