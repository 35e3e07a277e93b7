function Get-UMMailbox {
    <#
    .SYNOPSIS
    Shows the mailboxes that are enabled for Unified Messaging.

    .DESCRIPTION
    Like Get-Mailbox, with the telephone extensions and the policy. A mailbox that is missing or not enabled is a non-terminating error, which -ErrorAction SilentlyContinue silences: scripts use that to test whether a mailbox is enabled.

    .PARAMETER Identity
    The mailbox, in any of the forms that Get-Mailbox takes. Omitted: all mailboxes that are enabled.

    .PARAMETER ResultSize
    How many mailboxes to show at most: a number, or Unlimited. Omitted: 1000, with a warning when there are more.

    .INPUTS
    Anything that names a mailbox.

    .OUTPUTS
    UMMailboxPin.UMMailbox

    .EXAMPLE
    Get-UMMailbox tonysmith@contoso.com

    Shows one mailbox with its extensions and its policy.

    .EXAMPLE
    if (Get-UMMailbox tonysmith -ErrorAction SilentlyContinue) { Set-UMMailboxPIN tonysmith }

    Resets the PIN only if the mailbox is enabled for Unified Messaging.

    .LINK
    Get-Mailbox

    .LINK
    Set-UMMailboxPIN
    #>
    [CmdletBinding(HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/get-ummailbox')]
    [OutputType([UMMailboxPin.UMMailbox])]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [UMMailboxPin.Unlimited] $ResultSize = 1000
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $listing = [UMMailboxPin.Listing]::OfUMMailboxes($runtime)
    }

    process {
        $listing.Process($ResultSize)
    }
}
