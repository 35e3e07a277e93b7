# Which commands an import would hide. Looked up before this module's own functions of these names are defined further down. The
# names are written as wildcards because Get-Command, given plain names, loads modules that have them, this one among them.
$script:ExistingCommands = @(
    Microsoft.PowerShell.Core\Get-Command -ListImported -CommandType Alias, Function, Cmdlet `
        -Name 'Get-Mailbo[x]', 'Get-UMMailbo[x]', 'Get-UMMailboxPolic[y]', 'Import-UMDirector[y]',
        'Remove-UMDirectoryMailbo[x]' |
        Microsoft.PowerShell.Core\Where-Object { $_.ModuleName -ne 'UMMailboxPin.Directory' }
)
