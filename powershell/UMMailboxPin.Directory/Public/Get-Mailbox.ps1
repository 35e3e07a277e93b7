function Get-Mailbox {
    <#
    .SYNOPSIS
    Shows the mailboxes in the directory of UMMailboxPin.

    .DESCRIPTION
    For sessions that have no Exchange: existing scripts look mailboxes up before they reset PINs. The objects can be piped to Set-UMMailboxPIN. Mailboxes that are not enabled for Unified Messaging are shown too; see their property UMEnabled.

    .PARAMETER Identity
    The mailbox: its GUID, distinguished name, canonical name, DOMAIN\account, user principal name, any of its e-mail addresses, LegacyExchangeDN, alias, account name or name. Omitted: all mailboxes.

    .PARAMETER ResultSize
    How many mailboxes to show at most: a number, or Unlimited. Omitted: 1000, with a warning when there are more.

    .INPUTS
    Anything that names a mailbox.

    .OUTPUTS
    UMMailboxPin.Mailbox

    .EXAMPLE
    Get-Mailbox tonysmith@contoso.com

    Shows one mailbox.

    .EXAMPLE
    Get-Mailbox -ResultSize Unlimited | Where-Object UMEnabled | Set-UMMailboxPIN -WhatIf

    Says what a reset of every mailbox enabled for Unified Messaging would do.

    .LINK
    Get-UMMailbox

    .LINK
    Set-UMMailboxPIN
    #>
    [CmdletBinding(HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/get-mailbox')]
    [OutputType([UMMailboxPin.Mailbox])]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [UMMailboxPin.Unlimited] $ResultSize = 1000
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $listing = [UMMailboxPin.Listing]::OfMailboxes($runtime)
    }

    process {
        $listing.Process($ResultSize)
    }
}
