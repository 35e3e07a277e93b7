using System;
using System.Reflection;
using System.Runtime.InteropServices;

[assembly: AssemblyTitle("UMMailboxPin.Interop")]
[assembly: AssemblyProduct("umpin")]
// Kept equal to the crate's version; the module refuses to run with a library of another version.
[assembly: AssemblyVersion("0.1.0.0")]
[assembly: AssemblyFileVersion("0.1.0.0")]
[assembly: CLSCompliant(false)]
[assembly: ComVisible(false)]
// NativeFile has loaded the native library; it is looked for nowhere else.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
