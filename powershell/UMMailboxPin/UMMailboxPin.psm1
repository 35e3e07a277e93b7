# What runs at import. The stager appends this to the module's functions. Every statement here costs each PowerShell that imports
# the module, so what can wait for the first command does, and no function is called.
Set-StrictMode -Version Latest

# A caller's $PSDefaultParameterValues must not reach the calls inside this module.
$script:PSDefaultParameterValues = @{}
$script:ModuleVersion = '0.1.0'
$script:Session = $null
$script:NativeLibraryChecked = $false

# The managed half is needed now, for the parameter types. It lies beside the native library of this process; for a platform
# without one the copy in bin/ lets import and help work. RuntimeInformation is missing from the oldest .NET Framework that 5.1
# runs on.
$script:InteropPath = if ($PSVersionTable['Platform'] -eq 'Unix') {
    [System.IO.Path]::Combine($PSScriptRoot, 'bin', $(if ($IsMacOS) { 'osx-' } else { 'linux-' }) +
        [System.Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant(), 'UMMailboxPin.Interop.dll')
}
else {
    [System.IO.Path]::Combine($PSScriptRoot, 'bin', 'win-' + $env:PROCESSOR_ARCHITECTURE.ToLowerInvariant().Replace('amd', 'x'), 'UMMailboxPin.Interop.dll')
}
if (-not [System.IO.File]::Exists($script:InteropPath)) {
    $script:InteropPath = [System.IO.Path]::Combine($PSScriptRoot, 'bin', 'UMMailboxPin.Interop.dll')
}

# LoadFrom hands out an assembly of this name that is loaded already, whatever file it came from.
$null = [System.Reflection.Assembly]::LoadFrom($script:InteropPath)
$script:Stale = [UMMailboxPin.Library]::CheckAssembly($script:InteropPath, $script:ModuleVersion)
if ($script:Stale) {
    throw (New-StaleAssemblyError $script:Stale)
}
