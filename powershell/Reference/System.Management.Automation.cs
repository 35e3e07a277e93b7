// What the interop assembly uses of PowerShell's own assembly: declarations to compile against, never loaded. A reference to
// version 3.0.0.0, that of Windows PowerShell 5.1, is met by every PowerShell 7 too, and no PowerShell is needed to compile.
using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Management.Automation.Host;
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

        public SessionState SessionState
        {
            get { throw new NotSupportedException(); }
        }
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

        public ICommandRuntime CommandRuntime
        {
            get { throw new NotSupportedException(); }
        }

        public bool Stopping
        {
            get { throw new NotSupportedException(); }
        }

        public void WriteError(ErrorRecord errorRecord)
        {
            throw new NotSupportedException();
        }

        public void WriteWarning(string text)
        {
            throw new NotSupportedException();
        }

        public void WriteVerbose(string text)
        {
            throw new NotSupportedException();
        }

        public void ThrowTerminatingError(ErrorRecord errorRecord)
        {
            throw new NotSupportedException();
        }

        public bool ShouldProcess(string verboseDescription, string verboseWarning, string caption)
        {
            throw new NotSupportedException();
        }
    }

    public abstract class PSCmdlet : Cmdlet
    {
        public PSHost Host
        {
            get { throw new NotSupportedException(); }
        }

        public InvocationInfo MyInvocation
        {
            get { throw new NotSupportedException(); }
        }

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

        public object InvokeReturnAsIs(params object[] args)
        {
            throw new NotSupportedException();
        }
    }

    public sealed class SessionState
    {
        internal SessionState() { }

        public PSModuleInfo Module
        {
            get { throw new NotSupportedException(); }
        }

        public PathIntrinsics Path
        {
            get { throw new NotSupportedException(); }
        }

        public PSVariableIntrinsics PSVariable
        {
            get { throw new NotSupportedException(); }
        }
    }

    public abstract class CommandInfo
    {
        internal CommandInfo() { }

        public string Name
        {
            get { throw new NotSupportedException(); }
        }
    }

    public enum ErrorCategory
    {
        NotSpecified,
    }

    public class ErrorDetails
    {
        public ErrorDetails(string message) { }

        public string RecommendedAction
        {
            get { throw new NotSupportedException(); }
            set { throw new NotSupportedException(); }
        }
    }

    public class ErrorRecord
    {
        public ErrorRecord(Exception exception, string errorId, ErrorCategory errorCategory, object targetObject) { }

        public ErrorDetails ErrorDetails
        {
            get { throw new NotSupportedException(); }
            set { throw new NotSupportedException(); }
        }

        public Exception Exception
        {
            get { throw new NotSupportedException(); }
        }
    }

    public interface ICommandRuntime
    {
        void WriteProgress(long sourceId, ProgressRecord progressRecord);
    }

    public class InvocationInfo
    {
        internal InvocationInfo() { }

        public bool ExpectingInput
        {
            get { throw new NotSupportedException(); }
        }

        public CommandInfo MyCommand
        {
            get { throw new NotSupportedException(); }
        }
    }

    public sealed class PathInfo
    {
        internal PathInfo() { }

        public string ProviderPath
        {
            get { throw new NotSupportedException(); }
        }
    }

    public sealed class PathIntrinsics
    {
        internal PathIntrinsics() { }

        public PathInfo CurrentFileSystemLocation
        {
            get { throw new NotSupportedException(); }
        }

        public string GetUnresolvedProviderPathFromPSPath(string path, out ProviderInfo provider, out PSDriveInfo drive)
        {
            throw new NotSupportedException();
        }
    }

    public class ProgressRecord
    {
        public ProgressRecord(int activityId, string activity, string statusDescription) { }

        public ProgressRecordType RecordType
        {
            get { throw new NotSupportedException(); }
            set { throw new NotSupportedException(); }
        }
    }

    public enum ProgressRecordType
    {
        Processing,
        Completed,
    }

    public class ProviderInfo
    {
        internal ProviderInfo() { }

        public string Name
        {
            get { throw new NotSupportedException(); }
        }
    }

    public class PSDriveInfo
    {
        internal PSDriveInfo() { }
    }

    public sealed class PSModuleInfo
    {
        internal PSModuleInfo() { }

        public string ModuleBase
        {
            get { throw new NotSupportedException(); }
        }

        public ScriptBlock OnRemove
        {
            get { throw new NotSupportedException(); }
            set { throw new NotSupportedException(); }
        }

        public ReadOnlyCollection<PSModuleInfo> RequiredModules
        {
            get { throw new NotSupportedException(); }
        }

        public Version Version
        {
            get { throw new NotSupportedException(); }
        }
    }

    public sealed class PSVariableIntrinsics
    {
        internal PSVariableIntrinsics() { }

        public object GetValue(string name)
        {
            throw new NotSupportedException();
        }

        public void Set(string name, object value)
        {
            throw new NotSupportedException();
        }
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

namespace System.Management.Automation.Host
{
    public class FieldDescription
    {
        public FieldDescription(string name) { }

        public void SetParameterType(Type parameterType)
        {
            throw new NotSupportedException();
        }
    }

    public abstract class PSHost
    {
        public abstract string Name { get; }

        public abstract PSHostUserInterface UI { get; }
    }

    public abstract class PSHostUserInterface
    {
        public abstract Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions);

        public abstract void WriteProgress(long sourceId, ProgressRecord record);

        public abstract void WriteWarningLine(string message);
    }
}

namespace System.Management.Automation.Runspaces
{
    public abstract class Runspace
    {
        internal Runspace() { }

        public static Runspace DefaultRunspace
        {
            get { throw new NotSupportedException(); }
        }
    }
}
