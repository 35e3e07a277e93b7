# Runs a private function of UMMailboxPin, which has the session of this runspace. Nothing that writes or asks is run there: the
# preferences taken from the caller are not in scope. The module is looked for each time, because it may be imported anew, and by its
# GUID, because another may have its name, and -Prefix gives its functions other names.
function Invoke-Core {
    param([string] $Name, [hashtable] $Parameters)

    $core = Microsoft.PowerShell.Core\Get-Module -Name UMMailboxPin |
        Microsoft.PowerShell.Core\Where-Object { $_.Guid -eq '6a0c7d1e-3f52-4a8c-9a37-0d2a5f4be1c9' }
    & @($core)[-1] { param($Name, $Parameters) & $Name @Parameters } $Name $Parameters
}
