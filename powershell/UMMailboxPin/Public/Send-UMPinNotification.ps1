function Send-UMPinNotification {
    <#
    .SYNOPSIS
    Sends the messages with new PINs that could not be delivered when the PINs were reset.

    .DESCRIPTION
    Without -Identity, all messages that are due are tried: after each failure a message waits longer, from about a minute to about an hour (a quarter more or less, so that not all come at once). With -Identity, all messages of that mailbox are tried, whether due or not. A message whose PIN has been replaced since is dropped. One that cannot be delivered before it expires is given up; the user then needs another reset.

    Meant to be run every few minutes, by the systemd timer or the scheduled task that come with the module as examples. The queue is in the embedded directory, or with Active Directory on each computer that resets PINs. Several processes of that computer may run it at the same time: no message is sent twice, save for one whose process ends between the mail system's acceptance and the note of it. That duplicate has the same Message-ID.

    Success is silent. Each message that was tried and not delivered is an error with the id NotificationFailed. It stays queued, also where the mail system refused it for good (a code 5xx), unless the error says that it was given up. One that is not due is not tried, and no error; Get-UMPinNotification tells what waits, and since when.

    .PARAMETER Identity
    The mailbox, in any of the forms that Set-UMMailboxPIN takes. Omitted: all messages that are due.

    .PARAMETER PassThru
    Writes an object for each message that was tried, with its Outcome: Sent, Dropped, Queued, Failed (refused for good as things are, and still queued), Expired (given up) or Busy (another process is sending it).

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
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Low', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/set-ummailboxpin')]
    [OutputType([UMMailboxPin.SentNotification])]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [switch] $PassThru
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $queue = [UMMailboxPin.NotificationQueue]::new($runtime)
    }

    process {
        $queue.Process()
    }
}
