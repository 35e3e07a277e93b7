# Which commands an import would hide. Looked up before this file's own functions of these names are defined further down, and
# only among what the session has loaded: a look-up that imports modules could end up importing this one.
$script:ExistingCommands = @(
    Microsoft.PowerShell.Core\Get-Command -ListImported -CommandType Alias, Function, Cmdlet -ErrorAction Ignore `
        -Name 'Get-Mailbox', 'Get-UMMailbox', 'Get-UMMailboxPolicy', 'Import-UMDirectory' |
        Microsoft.PowerShell.Core\Where-Object { $_.ModuleName -ne 'UMMailboxPin.Directory' }
)
