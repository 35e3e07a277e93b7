# What runs at import. The stager appends this to the module's functions. Every statement here costs each PowerShell that imports
# the module, so what can wait for the first command does.
Microsoft.PowerShell.Core\Set-StrictMode -Version Latest

# A caller's $PSDefaultParameterValues must not reach the calls inside this module.
$script:PSDefaultParameterValues = @{}
$script:ModuleRoot = $PSScriptRoot
$script:ModuleVersion = '0.1.0'

# The managed half is needed now, for the parameter types. For a platform without a native library the copy in bin/ lets import
# and help work.
$script:InteropPath = [System.IO.Path]::Combine($PSScriptRoot, 'bin', (Get-RuntimeIdentifier), 'UMMailboxPin.Interop.dll')
if (-not [System.IO.File]::Exists($script:InteropPath)) {
    $script:InteropPath = [System.IO.Path]::Combine($PSScriptRoot, 'bin', 'UMMailboxPin.Interop.dll')
}

# LoadFrom hands out an assembly of this name that is loaded already, whatever file it came from.
$script:InteropAssembly = [System.Reflection.Assembly]::LoadFrom($script:InteropPath)
if ($script:InteropAssembly.Location -ne $script:InteropPath -or
    -not $script:InteropAssembly.FullName.StartsWith("UMMailboxPin.Interop, Version=$script:ModuleVersion.")) {
    throw (New-StaleAssemblyError -Assembly $script:InteropAssembly -Path $script:InteropPath)
}

$ExecutionContext.SessionState.Module.OnRemove = { Close-UmSession }
