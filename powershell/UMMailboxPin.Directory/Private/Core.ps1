# Runs a private function of UMMailboxPin, which has the session of this runspace. Nothing that writes or asks is run there: the
# preferences taken from the caller are not in scope.
$script:CoreModule = Microsoft.PowerShell.Core\Get-Module -Name UMMailboxPin |
    Microsoft.PowerShell.Core\Where-Object { $_.ExportedFunctions.ContainsKey('Set-UMMailboxPIN') }
$script:CoreModule = @($script:CoreModule)[-1]

function Invoke-Core {
    param([string] $Name, [hashtable] $Parameters)

    & $script:CoreModule { param($Name, $Parameters) & $Name @Parameters } $Name $Parameters
}
