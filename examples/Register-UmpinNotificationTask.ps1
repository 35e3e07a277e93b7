<#
.SYNOPSIS
Registers a scheduled task that sends queued messages with telephone PINs.

.DESCRIPTION
The task runs Send-UMPinNotification every few minutes under the given account, which must be able to read the store's key and to
write the store. Use a group managed service account: no user knows its password.

.PARAMETER UserId
The account, for example CONTOSO\svc-umpin$ for a group managed service account.

.PARAMETER Minutes
The interval in minutes; 5 by default.

.PARAMETER OlderThanMinutes
A run fails if a message has waited for longer than this; 30 by default.

.PARAMETER ScriptPath
The path of Send-QueuedNotification.ps1, in a folder that the account can read but not write. Default: the folder of this script.

.PARAMETER ModulePath
The folder of the module UMMailboxPin. Default: PowerShell searches for it.

.PARAMETER PowerShellPath
The path of powershell.exe or pwsh.exe. Default: Windows PowerShell.

.EXAMPLE
.\Register-UmpinNotificationTask.ps1 -UserId 'CONTOSO\svc-umpin$'

.EXAMPLE
.\Register-UmpinNotificationTask.ps1 -UserId 'CONTOSO\svc-umpin$' -PowerShellPath "$env:ProgramFiles\PowerShell\7\pwsh.exe" -WhatIf
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)]
    [string] $UserId,

    [ValidateRange(1, 1440)]
    [int] $Minutes = 5,

    [ValidateRange(0, 525600)]
    [int] $OlderThanMinutes = 30,

    [string] $ScriptPath = [System.IO.Path]::Combine($PSScriptRoot, 'Send-QueuedNotification.ps1'),

    [string] $ModulePath = 'UMMailboxPin',

    [string] $PowerShellPath = "$env:SystemRoot\System32\WindowsPowerShell\v1.0\powershell.exe"
)

$ErrorActionPreference = 'Stop'

# The exit code in the task's history shows whether a message was tried and not delivered, or has waited for too long.
$command = "& '$($ScriptPath.Replace("'", "''"))' -OlderThanMinutes $OlderThanMinutes -ModulePath '$($ModulePath.Replace("'", "''"))'; " +
    'exit $LASTEXITCODE'
# Encoded, so that it needs no quoting.
$encoded = [Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($command))

$action = New-ScheduledTaskAction -Execute $PowerShellPath -Argument "-NoLogo -NoProfile -NonInteractive -EncodedCommand $encoded"
$trigger = New-ScheduledTaskTrigger -Once -At ([datetime]::Today) -RepetitionInterval (New-TimeSpan -Minutes $Minutes)
# Password: for a managed service account, Windows fetches it from the directory.
$principal = New-ScheduledTaskPrincipal -UserId $UserId -LogonType Password -RunLevel Limited
$settings = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -StartWhenAvailable -ExecutionTimeLimit (New-TimeSpan -Minutes 30)

if ($PSCmdlet.ShouldProcess($UserId, "Register the scheduled task umpin-notify, every $Minutes minutes")) {
    Register-ScheduledTask -TaskName 'umpin-notify' -Action $action -Trigger $trigger -Principal $principal -Settings $settings `
        -Description 'Sends queued messages with telephone PINs (Send-UMPinNotification).' -Force
}
