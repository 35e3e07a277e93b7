// What the interop assembly uses of PowerShell's own assembly: declarations to compile against, never loaded. A reference to
// version 3.0.0.0, that of Windows PowerShell 5.1, is met by every PowerShell 7 too, and no PowerShell is needed to compile.
using System;
using System.Collections.ObjectModel;
using System.Reflection;
using System.Security;

[assembly: AssemblyVersion("3.0.0.0")]

namespace System.Management.Automation
{
    public abstract class ArgumentTransformationAttribute : Attribute
    {
        public abstract object Transform(EngineIntrinsics engineIntrinsics, object inputData);
    }

    public class ArgumentTransformationMetadataException : Exception
    {
        public ArgumentTransformationMetadataException(string message) : base(message) { }
    }

    public class CommandInvocationIntrinsics
    {
        internal CommandInvocationIntrinsics() { }

        public Collection<PSObject> InvokeScript(SessionState sessionState, ScriptBlock scriptBlock, params object[] args)
        {
            throw new NotSupportedException();
        }
    }

    public class EngineIntrinsics
    {
        internal EngineIntrinsics() { }
    }

    public static class LanguagePrimitives
    {
        public static object ConvertTo(object valueToConvert, Type resultType)
        {
            throw new NotSupportedException();
        }
    }

    public abstract class Cmdlet
    {
        internal Cmdlet() { }

        public bool ShouldProcess(string verboseDescription, string verboseWarning, string caption)
        {
            throw new NotSupportedException();
        }
    }

    public abstract class PSCmdlet : Cmdlet
    {
        public CommandInvocationIntrinsics InvokeCommand
        {
            get { throw new NotSupportedException(); }
        }

        public SessionState SessionState
        {
            get { throw new NotSupportedException(); }
        }
    }

    public sealed class PSCredential
    {
        internal PSCredential() { }

        public SecureString Password
        {
            get { throw new NotSupportedException(); }
        }
    }

    public class PSObject
    {
        internal PSObject() { }

        public object BaseObject
        {
            get { throw new NotSupportedException(); }
        }

        public PSMemberInfoCollection<PSPropertyInfo> Properties
        {
            get { throw new NotSupportedException(); }
        }

        public Collection<string> TypeNames
        {
            get { throw new NotSupportedException(); }
        }

        public static PSObject AsPSObject(object obj)
        {
            throw new NotSupportedException();
        }
    }

    public abstract class PSMemberInfo
    {
        public abstract object Value { get; set; }
    }

    public abstract class PSPropertyInfo : PSMemberInfo
    {
    }

    public abstract class PSMemberInfoCollection<T> where T : PSMemberInfo
    {
        public abstract T this[string name] { get; }
    }

    public class ScriptBlock
    {
        internal ScriptBlock() { }

        public static ScriptBlock Create(string script)
        {
            throw new NotSupportedException();
        }
    }

    public sealed class SessionState
    {
    }
}

namespace System.Management.Automation.Remoting
{
    public sealed class PSIdentity
    {
        internal PSIdentity() { }

        public string Name
        {
            get { throw new NotSupportedException(); }
        }
    }

    public sealed class PSPrincipal
    {
        internal PSPrincipal() { }

        public PSIdentity Identity
        {
            get { throw new NotSupportedException(); }
        }
    }

    public sealed class PSSenderInfo
    {
        internal PSSenderInfo() { }

        public PSPrincipal UserInfo
        {
            get { throw new NotSupportedException(); }
        }
    }
}
