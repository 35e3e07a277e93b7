using System;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>Where a file lies in truth, with every link on the way to it followed.</summary>
    /// <remarks>.NET Framework cannot tell, so Windows is asked; .NET tells of the last part of a path.</remarks>
    internal static class RealPath
    {
        // Metadata may be read of what may not be read itself.
        private const uint NoAccess = 0;
        private const uint ShareAll = 7;
        private const uint OpenExisting = 3;
        // As the kernel of Linux.
        private const int MostLinks = 40;
        private static readonly IntPtr Invalid = new IntPtr(-1);

        /// <summary>The path of an existing file; the path given where it cannot be found out.</summary>
        internal static string Of(string path)
        {
            return (Environment.OSVersion.Platform == PlatformID.Win32NT ? OnWindows(path) : OnUnix(path, 0)) ?? path;
        }

        private static string OnWindows(string path)
        {
            IntPtr file = CreateFileW(path, NoAccess, ShareAll, IntPtr.Zero, OpenExisting, 0, IntPtr.Zero);
            if (file == Invalid)
            {
                return null;
            }

            try
            {
                StringBuilder name = new StringBuilder(32768);
                uint length = GetFinalPathNameByHandleW(file, name, (uint)name.Capacity, 0);
                return length == 0 || length >= name.Capacity ? null : name.ToString();
            }
            finally
            {
                CloseHandle(file);
            }
        }

        // By name: the assembly is compiled for .NET Framework, which has no such method and runs on Windows only.
        private static string OnUnix(string path, int links)
        {
            MethodInfo target = typeof(FileSystemInfo).GetMethod("ResolveLinkTarget", new Type[] { typeof(bool) });
            if (target == null || links > MostLinks)
            {
                return null;
            }

            string real = "/";
            foreach (string part in path.Split(new char[] { '/' }, StringSplitOptions.RemoveEmptyEntries))
            {
                real = Path.Combine(real, part);
                FileSystemInfo link = (FileSystemInfo)target.Invoke(new FileInfo(real), new object[] { false });
                if (link != null)
                {
                    real = OnUnix(link.FullName, links + 1);
                    if (real == null)
                    {
                        return null;
                    }
                }
            }

            return real;
        }

        [DllImport("kernel32", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static extern IntPtr CreateFileW(
            string path, uint access, uint share, IntPtr security, uint creation, uint flags, IntPtr template);

        [DllImport("kernel32", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static extern uint GetFinalPathNameByHandleW(IntPtr file, StringBuilder path, uint size, uint flags);

        [DllImport("kernel32", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static extern bool CloseHandle(IntPtr handle);
    }
}
