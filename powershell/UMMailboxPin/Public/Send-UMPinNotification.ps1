function Send-UMPinNotification {
    <#
    .SYNOPSIS
    Sends the messages with new PINs that could not be delivered when the PINs were reset.

    .DESCRIPTION
    Without -Identity, all messages that are due are tried: after each failure a message waits longer, from a minute to an hour.
    With -Identity, all messages of that mailbox are tried, whether due or not. A message whose PIN has been replaced since is
    dropped. One that cannot be delivered before it expires is given up; the user then needs another reset.

    Meant to be run every few minutes, by the systemd timer or the scheduled task that come with the module as examples. Several
    computers and processes may run it at the same time: no message is sent twice, save for one whose process ends between the mail
    system's acceptance and the note of it. That duplicate has the same Message-ID.

    Success is silent. Each message that was not delivered is an error with the id NotificationFailed.

    .PARAMETER Identity
    The mailbox, in any of the forms that Set-UMMailboxPIN takes. Omitted: all messages that are due.

    .PARAMETER PassThru
    Writes an object for each message that was tried, with its Outcome: Sent, Dropped, Queued, Failed, Expired or Busy (another
    process is sending it).

    .INPUTS
    Anything that names a mailbox: text, a GUID, a mailbox object, an object with a property Identity.

    .OUTPUTS
    None. With -PassThru, UMMailboxPin.SentNotification.

    .EXAMPLE
    Send-UMPinNotification

    Tries everything that is due.

    .EXAMPLE
    Send-UMPinNotification -Identity tonysmith@contoso.com -PassThru

    Tries the messages for Tony Smith now, and says what became of them.

    .EXAMPLE
    Get-UMPinNotification | Where-Object LastError -Match 'relay' | Send-UMPinNotification

    After the relay was repaired, tries at once what it had refused.

    .LINK
    Get-UMPinNotification

    .LINK
    about_UMMailboxPin
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Low')]
    [OutputType('UMMailboxPin.SentNotification')]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [switch] $PassThru
    )

    begin {
        [UMMailboxPin.Parameters]::TakePreferences($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $directory = Open-UmDirectory $PSCmdlet
        $run = @{ Cmdlet = $PSCmdlet; Warned = @{}; Writing = $false }
    }

    process {
        $go = $false
        if ($PSBoundParameters.ContainsKey('Identity')) {
            # Looked up before the question, so that -WhatIf and -Confirm name what there is to send.
            $page = Find-UmObject -Session $directory.Session -Request @{ operation = 'notifications' } -InputObject $Identity.RawInput
            if ($null -ne $page.Failure) {
                Write-UmError $run $page.Failure
                return
            }
            $waiting = @($page.Items | Microsoft.PowerShell.Core\Where-Object { $_['state'] -ne 'failed' })
            if ($waiting.Count -eq 0) {
                $PSCmdlet.WriteVerbose('Nothing is queued for this mailbox.')
                return
            }
            $what = if ($waiting.Count -eq 1) { 'the queued message' } else { "the $($waiting.Count) queued messages" }
            $go = Request-UmConfirmation $PSCmdlet "Sending $what with the PIN of mailbox `"$($waiting[0]['identity'])`"."
            if ($go) {
                Send-NotificationQueue $run $directory.Session @{ identity = [string] $waiting[0]['guid'] } $Identity.RawInput $PassThru
            }
            return
        }
        if ($MyInvocation.ExpectingInput) {
            return
        }
        $go = Request-UmConfirmation $PSCmdlet 'Sending all queued messages with PINs that are due.'
        if ($go) {
            Send-NotificationQueue $run $directory.Session @{} $null $PassThru
        }
    }
}
