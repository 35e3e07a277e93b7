<#
.SYNOPSIS
Sends queued messages with telephone PINs, for a systemd timer or a scheduled task.

.DESCRIPTION
Sends every message that is due. Exits with 1, and writes the reason, if a message that was tried was not delivered, or if any message has
waited for longer than the given age, due or not: queued messages are tried again after pauses that grow to an hour, so most runs try
none. Exits with 0 otherwise, also if younger messages are queued.

.PARAMETER OlderThanMinutes
The age in minutes; 30 by default.

.PARAMETER ModulePath
The folder of the module UMMailboxPin. Default: PowerShell searches for it.

.EXAMPLE
./Send-QueuedNotification.ps1 -OlderThanMinutes 60
#>
[CmdletBinding()]
param(
    [ValidateRange(0, 525600)]
    [int] $OlderThanMinutes = 30,

    [string] $ModulePath = 'UMMailboxPin'
)

Import-Module -Name $ModulePath -ErrorAction Stop
Send-UMPinNotification -ErrorAction Continue -ErrorVariable failed
$limit = (Get-Date).AddMinutes(-$OlderThanMinutes)
$late = @(Get-UMPinNotification -ErrorAction Continue -ErrorVariable +failed |
        Where-Object { $_.State -eq 'Queued' -and $_.QueuedSince -le $limit })
foreach ($message in $late) {
    # Not an error record: its colours and line breaks are for a terminal.
    [Console]::Error.WriteLine('The message for mailbox "{0}" has waited since {1:yyyy-MM-dd HH:mm}: {2}',
        $message.Identity, $message.QueuedSince, $message.LastError)
}
exit [int] ($failed.Count -gt 0 -or $late.Count -gt 0)
