function Unlock-UMMailbox {
    <#
    .SYNOPSIS
    Unlocks the telephone access of a mailbox, without touching its PIN.

    .DESCRIPTION
    Ends a lock that an administrator set or that too many wrong PINs led to, and forgets the wrong PINs counted so far. The user goes on with the PIN that he knows; nothing is mailed. The same as Set-UMMailboxPIN -LockedOut $false -KeepPin.

    .PARAMETER Identity
    The mailbox: its GUID, distinguished name, canonical name, DOMAIN\account, user principal name, any of its e-mail addresses, LegacyExchangeDN, alias, account name or name. Mailbox objects are taken from the pipeline. There are no wildcards.

    .PARAMETER PinExpired
    $true: the user must change the PIN at the next sign-in. $false: need not. Omitted: as before.

    .PARAMETER DomainController
    The fully qualified name of the domain controller to read from and to write to. Where it does not answer, no other is asked. The embedded directory has none and ignores it with a warning.

    .PARAMETER IgnoreDefaultScope
    Ignores the default scope of the configuration and searches the whole forest, in a global catalog of Active Directory; what it finds is read and changed on a controller of its own domain. -Identity must then be a distinguished name, and -DomainController cannot be used.

    .PARAMETER PassThru
    Writes an object for each mailbox.

    .INPUTS
    Anything that names a mailbox: text, a GUID, a mailbox object, an object with a property Identity.

    .OUTPUTS
    None. With -PassThru, UMMailboxPin.ResetResult.

    .EXAMPLE
    Unlock-UMMailbox tonysmith@contoso.com

    Unlocks Tony Smith's mailbox.

    .EXAMPLE
    Get-UMMailboxPIN -ResultSize Unlimited | Where-Object LockedOut | Unlock-UMMailbox -WhatIf

    Says for each locked mailbox that it would be unlocked.

    .LINK
    Lock-UMMailbox

    .LINK
    Set-UMMailboxPIN

    .LINK
    Get-UMMailboxPIN
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/set-ummailboxpin')]
    [OutputType([UMMailboxPin.ResetResult])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [PSDefaultValue(Help = 'As before')]
        [bool] $PinExpired,

        [UMMailboxPin.Fqdn] $DomainController,

        [switch] $IgnoreDefaultScope,

        [switch] $PassThru
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $run = [UMMailboxPin.ResetRun]::new($runtime, 'Unlock-UMMailbox', $false)
    }

    # Each object leaves as the value of a statement of this function's own: see [UMMailboxPin.Output].
    process {
        try {
            $run.Process()
        }
        finally {
            $run.EndItem()
        }
    }

    end {
        try {
            $run.Complete()
        }
        finally {
            $run.Close()
        }
    }
}
