using System;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;

namespace UMMailboxPin
{
    /// <summary>The native library's file, in the folder of this process's platform beside this assembly.</summary>
    /// <remarks>
    /// PowerShell loads this assembly from one place on every platform, named in the manifest: a path computed by the module's
    /// script would cost each import a tenth of PowerShell's own start. So the platform is found here, when it is needed.
    /// </remarks>
    internal static class NativeFile
    {
        private const uint AlteredSearchPath = 8;
        private static readonly object Lock = new object();
        private static bool loaded;

        /// <summary>Its path, whether or not the package has one for this platform.</summary>
        internal static string FullName
        {
            get { return Path.Combine(Path.GetDirectoryName(typeof(NativeFile).Assembly.Location), RelativeName()); }
        }

        /// <summary>Makes the declarations in <see cref="NativeMethods"/> find it, and nothing else. Null, or why it cannot be loaded.</summary>
        internal static string Load()
        {
            lock (Lock)
            {
                string problem = loaded ? null : LoadOnce();
                loaded = problem == null;
                return problem;
            }
        }

        private static string RelativeName()
        {
            if (Environment.OSVersion.Platform == PlatformID.Win32NT)
            {
                string processor = Environment.GetEnvironmentVariable("PROCESSOR_ARCHITECTURE") ?? "";
                return Path.Combine("win-" + processor.ToLowerInvariant().Replace("amd", "x"), "umpin.dll");
            }

            string architecture = Runtime("ProcessArchitecture").ToLowerInvariant();
            return Runtime("OSDescription").StartsWith("Darwin", StringComparison.Ordinal)
                ? Path.Combine("osx-" + architecture, "libumpin.dylib")
                : Path.Combine("linux-" + architecture, "libumpin.so");
        }

        // By name, because the oldest .NET Framework that Windows PowerShell 5.1 runs on lacks the class.
        private static string Runtime(string property)
        {
            const string Name = "System.Runtime.InteropServices.RuntimeInformation";
            Type type = typeof(object).Assembly.GetType(Name) ?? Type.GetType(Name + ", " + Name, true);
            return Convert.ToString(type.GetProperty(property).GetValue(null, null));
        }

        private static string LoadOnce()
        {
            Type native = typeof(object).Assembly.GetType("System.Runtime.InteropServices.NativeLibrary");
            if (native == null)
            {
                // .NET Framework: Windows takes a library that is loaded already before it looks for one of that name.
                return LoadLibraryExW(FullName, IntPtr.Zero, AlteredSearchPath) != IntPtr.Zero ? null
                    : Marshal.GetExceptionForHR(Marshal.GetHRForLastWin32Error()).Message;
            }

            IntPtr handle;
            try
            {
                handle = (IntPtr)native.GetMethod("Load", new Type[] { typeof(string) }).Invoke(null, new object[] { FullName });
            }
            catch (TargetInvocationException e)
            {
                return e.InnerException.Message;
            }

            MethodInfo set = native.GetMethod("SetDllImportResolver");
            Func<string, Assembly, DllImportSearchPath?, IntPtr> resolve = delegate { return handle; };
            set.Invoke(null, new object[]
            {
                typeof(NativeFile).Assembly,
                Delegate.CreateDelegate(set.GetParameters()[1].ParameterType, resolve.Target, resolve.Method),
            });
            return null;
        }

        [DllImport("kernel32", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static extern IntPtr LoadLibraryExW(string fileName, IntPtr reserved, uint flags);
    }
}
