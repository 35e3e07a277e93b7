<#
.SYNOPSIS
Sends queued messages with telephone PINs, for a systemd timer or a scheduled task.

.DESCRIPTION
Tries every message that is due. Ends with 1, and says why, when a message that was tried was not delivered, or when any message has waited for
longer than a stated age, due or not: what waits is tried after pauses that grow to an hour, so most runs try nothing. Ends with 0
otherwise, also where a message waits that is younger.

.PARAMETER OlderThanMinutes
The age. 30 unless given.

.PARAMETER ModulePath
The folder of the module UMMailboxPin. Omitted: wherever PowerShell finds it.

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
    # Not an error record, whose colours and lines are for people at a terminal.
    [Console]::Error.WriteLine('The message for mailbox "{0}" has waited since {1:yyyy-MM-dd HH:mm}: {2}',
        $message.Identity, $message.QueuedSince, $message.LastError)
}
exit [int] ($failed.Count -gt 0 -or $late.Count -gt 0)
