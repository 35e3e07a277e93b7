# What runs at import. The stager appends this to the module's functions.
Set-StrictMode -Version Latest

# A caller's $PSDefaultParameterValues must not reach the calls inside this module.
$script:PSDefaultParameterValues = @{}
$script:ModuleRoot = $PSScriptRoot

# The managed half is needed now, for the parameter types. Where no native library is shipped for this platform, the copy beside
# it is absent too, and the one in bin/ lets import and help work.
$script:InteropPath = [System.IO.Path]::Combine($PSScriptRoot, 'bin', (Get-RuntimeIdentifier), 'UMMailboxPin.Interop.dll')
if (-not [System.IO.File]::Exists($script:InteropPath)) {
    $script:InteropPath = [System.IO.Path]::Combine($PSScriptRoot, 'bin', 'UMMailboxPin.Interop.dll')
}
$script:InteropAssembly = [System.Reflection.Assembly]::LoadFrom($script:InteropPath)
$script:ModuleVersion = Get-ModuleVersion

# LoadFrom hands out an assembly of this name that is loaded already, whatever file it came from.
if ($script:InteropAssembly.Location -ne $script:InteropPath -or
    $script:InteropAssembly.GetName().Version.ToString(3) -ne $script:ModuleVersion) {
    throw (New-StaleAssemblyError)
}

$ExecutionContext.SessionState.Module.OnRemove = { Close-UmSession }
