function Get-UMPinNotification {
    <#
    .SYNOPSIS
    Shows messages with new PINs that have not been delivered yet, and those that were given up.

    .DESCRIPTION
    Each reset records its message in the outbox before it is sent. What could not be delivered at once stays there and is tried again, by the next command that changes something and by Send-UMPinNotification, until it expires (notification.expireAfterHours in the configuration, 72 unless set). This command shows what is there and sends nothing.

    The state is Queued, Unconfirmed (it is yet to be found out whether the PIN was set) or Expired (given up: the user has not been told the PIN, so reset it again). Expired messages are shown for 30 days, and then until the next command that sends messages. Neither the PIN nor the recipient is shown: they are sealed.

    .PARAMETER Identity
    The mailbox, in any of the forms that Set-UMMailboxPIN takes. Omitted: all.

    .PARAMETER ResultSize
    How many messages to show at most: a number, or Unlimited. Omitted: 1000, with a warning when there are more.

    .INPUTS
    Anything that names a mailbox: text, a GUID, a mailbox object, an object with a property Identity.

    .OUTPUTS
    UMMailboxPin.Notification. They can be piped to Send-UMPinNotification.

    .EXAMPLE
    Get-UMPinNotification

    Shows everything that waits, oldest first.

    .EXAMPLE
    Get-UMPinNotification -ResultSize Unlimited | Where-Object State -EQ Expired | Set-UMMailboxPIN

    Resets the PINs again whose messages were given up.

    .LINK
    Send-UMPinNotification

    .LINK
    about_UMMailboxPin
    #>
    [CmdletBinding(HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/set-ummailboxpin')]
    [OutputType([UMMailboxPin.Notification])]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [UMMailboxPin.Unlimited] $ResultSize = 1000
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $listing = [UMMailboxPin.Listing]::OfNotifications($runtime)
    }

    process {
        $listing.Process($ResultSize)
    }
}
