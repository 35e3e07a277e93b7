function Clear-UMMailboxPIN {
    <#
    .SYNOPSIS
    Removes the PIN record of a mailbox, a damaged one too.

    .DESCRIPTION
    Removes PIN, history, lock and failed sign-ins of a mailbox, and drops its messages that are still queued on this computer. Afterwards the mailbox is as one that never had a PIN: the user can sign in only after the next reset. For records that were damaged or restored from elsewhere, and for users who are to have no telephone access any more. It works on the embedded directory and on Active Directory, and is in the audit as ClearPin. The mailbox itself stays.

    A value that Exchange left in the attribute is no PIN record: it stays, and a warning says so. On Active Directory, other computers that set the PIN may tell its loss as ResetLost.

    The question is asked unless -Confirm:$false is given.

    .PARAMETER Identity
    The mailbox: its GUID, distinguished name, canonical name, DOMAIN\account, user principal name, any of its e-mail addresses, LegacyExchangeDN, alias, account name or name. Mailbox objects are taken from the pipeline. There are no wildcards.

    .PARAMETER DomainController
    The fully qualified name of the domain controller to read from and to write to. Where it does not answer, no other is asked. The embedded directory has none and ignores it with a warning.

    .PARAMETER IgnoreDefaultScope
    Ignores the default scope of the configuration and searches the whole forest, in a global catalog of Active Directory; what it finds is read and changed on a controller of its own domain. -Identity must then be a distinguished name, and -DomainController cannot be used.

    .INPUTS
    Anything that names a mailbox: text, a GUID, a mailbox object, an object with a property Identity.

    .OUTPUTS
    None.

    .EXAMPLE
    Clear-UMMailboxPIN tonysmith@contoso.com -WhatIf

    Says what would be cleared.

    .EXAMPLE
    Clear-UMMailboxPIN tonysmith@contoso.com -Confirm:$false

    Clears the record of Tony Smith without a question. Set-UMMailboxPIN gives him a new PIN.

    .LINK
    Set-UMMailboxPIN

    .LINK
    Get-UMMailboxPIN

    .LINK
    Get-UMPinAudit
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/set-ummailboxpin')]
    [OutputType([void])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [UMMailboxPin.Fqdn] $DomainController,

        [switch] $IgnoreDefaultScope
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $change = [UMMailboxPin.PinClearing]::new($runtime)
    }

    process {
        $change.Process()
    }
}
