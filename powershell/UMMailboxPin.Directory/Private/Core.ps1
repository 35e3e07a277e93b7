# Runs a private function of UMMailboxPin. Sessions, errors and the native library are its business; what is written is written
# here, where the preferences taken from the caller are in scope.
$script:CoreModule = Microsoft.PowerShell.Core\Get-Module -Name UMMailboxPin |
    Microsoft.PowerShell.Core\Where-Object { $_.ExportedFunctions.ContainsKey('Set-UMMailboxPIN') }
$script:CoreModule = @($script:CoreModule)[-1]

function Invoke-Core {
    param([string] $Name, [hashtable] $Parameters)

    & $script:CoreModule { param($Name, $Parameters) & $Name @Parameters } $Name $Parameters
}
