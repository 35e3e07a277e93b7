function Remove-UMDirectoryMailbox {
    <#
    .SYNOPSIS
    Removes a mailbox from the embedded directory.

    .DESCRIPTION
    Removes the mailbox with its addresses and extensions, wipes its PIN, and drops and wipes its messages that are still queued. What the audit has about it stays, and says who removed it. The mailbox in Exchange or in any other system is not touched: an import of a file that still has the user makes a new mailbox, without a PIN.

    An import never removes anybody, so this is how users who have left go, and how a mailbox goes that an import made by mistake. The question is asked unless -Confirm:$false is given.

    .PARAMETER Identity
    The mailbox: its GUID, distinguished name, canonical name, DOMAIN\account, user principal name, any of its e-mail addresses, LegacyExchangeDN, alias, account name or name. Mailbox objects are taken from the pipeline. There are no wildcards.

    .INPUTS
    Anything that names a mailbox: text, a GUID, a mailbox object, an object with a property Identity.

    .OUTPUTS
    None.

    .EXAMPLE
    Remove-UMDirectoryMailbox kakers@contoso.com -WhatIf

    Says what would be removed.

    .EXAMPLE
    Get-Mailbox 'contoso.com/Finance/Jeff Hay' | Remove-UMDirectoryMailbox -Confirm:$false

    Removes the user who is named by organizational unit and name, without a question.

    .LINK
    Import-UMDirectory

    .LINK
    Get-Mailbox
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/disable-ummailbox')]
    [OutputType([void])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $change = [UMMailboxPin.MailboxRemoval]::new($runtime)
    }

    process {
        $change.Process()
    }
}
