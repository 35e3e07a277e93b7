function Get-UMPinAudit {
    <#
    .SYNOPSIS
    Shows who reset, locked or unlocked which PIN, and whether the audit log was tampered with.

    .DESCRIPTION
    Reads the audit log of the directory, or an export of it, from the oldest entry to the newest. What was recorded before a change (the intent) and after it (the outcome) is shown as one object for each operation: who did what to whom, when, and whether it succeeded. Succeeded is empty, and Outcome is Unknown, where no outcome was recorded. Parameters, Result and Details have members for scripts, and are text in lists and CSV files. A PIN is never in the log.

    Resets, locks and unlocks that failed are in it, with the error and the broken rules. Of one caller and hour a hundred are recorded one by one; the action FailuresOmitted counts the others.

    The log is checked while it is read, all of it, whatever the other parameters let through. The entries of each host form a chain that is bound with the directory's key. A chain in which an entry was changed, removed, inserted or moved is reported as one error, AuditChainBroken, that names the host and the entry. An export that was cut off is a warning.

    .PARAMETER StartDate
    Shows operations from this moment on. Text is read as the current culture writes dates (Get-Culture), in local time, else by ISO 8601, such as 2026-11-12 or 2026-11-12T08:30; today and yesterday are understood. A date without a time means its first moment. In a script that runs under several cultures use ISO 8601 or a DateTime, such as (Get-Date).AddDays(-7).

    .PARAMETER EndDate
    Shows operations up to this moment, which is given as for -StartDate. A date without a time means its first moment, so the day itself is not among them.

    .PARAMETER Identity
    Shows what was done to this mailbox: any form that Set-UMMailboxPIN takes, or the name that the log has for a mailbox that is gone. A mailbox that was renamed is found under its GUID.

    .PARAMETER Caller
    Shows what this account did. Wildcards are allowed.

    .PARAMETER Cmdlet
    Shows what was done with this command. Wildcards are allowed.

    .PARAMETER Action
    Only what was done in this way: Reset, Lock, Unlock, ChangePin (by the user), ClearPin, SignInFailure (a wrong PIN that was counted), AutomaticReset (after too many of them), LockOut, Import, RemoveMailbox, PolicyChange, UpdateKey (the key was replaced, or one was made for that), NotificationExpired (a message that could not be delivered was given up), NotificationDropped (its PIN was not in force any more), ResetLost (a change made on another domain controller at the same time replaced the PIN), FailuresOmitted (failures that were only counted) or RetentionPaused (old entries are kept for 30 days, because the clock may be wrong).

    .PARAMETER Outcome
    Shows only operations that succeeded, or only those that failed.

    .PARAMETER ResultSize
    How many operations to show at most: a number, or Unlimited. Omitted: all, because a log is checked only when it is read to its end. With a number there is a warning when there are more.

    .PARAMETER Path
    A file that Export-UMPinAudit wrote, to be read and checked instead of the log of the directory. The key that the log was written with must be configured.

    .INPUTS
    Anything that names a mailbox, as for Set-UMMailboxPIN.

    .OUTPUTS
    UMMailboxPin.AuditEntry, with the properties Date (local time), Cmdlet, Action, Caller, RunAs, Host, Target, TargetGuid, Parameters, Succeeded, Outcome, Result, Details, Application, OperationId, Kind, Entry and ChainState.

    .EXAMPLE
    Get-UMPinAudit -StartDate (Get-Date).AddDays(-7) -Identity tonysmith@contoso.com

    Shows what happened to one mailbox's PIN in the last week.

    .EXAMPLE
    Get-UMPinAudit -Action LockOut -StartDate (Get-Date).AddDays(-1)

    Shows which mailboxes were locked by wrong PINs since yesterday.

    .EXAMPLE
    Get-UMPinAudit -ErrorVariable faults | Out-Null; $faults.Count -eq 0

    Checks the whole log.

    .EXAMPLE
    Get-UMPinAudit -Path .\audit-2025.jsonl -Caller 'CONTOSO\*' -Outcome Failed

    Checks an export, and shows the failed operations of a domain's accounts.

    .LINK
    Export-UMPinAudit

    .LINK
    about_UMMailboxPin
    #>
    [CmdletBinding(HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/search-adminauditlog')]
    [OutputType([UMMailboxPin.AuditEntry])]
    param(
        [UMMailboxPin.DateTransformation()]
        [datetime] $StartDate,

        [UMMailboxPin.DateTransformation()]
        [datetime] $EndDate,

        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [ValidateNotNullOrEmpty()]
        [string] $Caller,

        [ValidateNotNullOrEmpty()]
        [string] $Cmdlet,

        [ValidateSet('Reset', 'Lock', 'Unlock', 'ChangePin', 'ClearPin', 'SignInFailure', 'AutomaticReset', 'LockOut', 'Import', 'RemoveMailbox', 'PolicyChange',
            'UpdateKey', 'NotificationExpired', 'NotificationDropped', 'ResetLost', 'FailuresOmitted', 'RetentionPaused')]
        [string] $Action,

        [ValidateSet('Succeeded', 'Failed')]
        [string] $Outcome,

        [UMMailboxPin.Unlimited] $ResultSize = 'Unlimited',

        [ValidateNotNullOrEmpty()]
        [string] $Path
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $log = [UMMailboxPin.AuditLog]::new($runtime)
    }

    process {
        $log.Process($ResultSize)
    }
}
