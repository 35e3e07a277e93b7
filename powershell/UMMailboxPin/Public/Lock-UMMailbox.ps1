function Lock-UMMailbox {
    <#
    .SYNOPSIS
    Locks the telephone access of a mailbox, without touching its PIN.

    .DESCRIPTION
    Every sign-in by telephone is refused from then on, the right PIN included, until Unlock-UMMailbox or a reset. Nothing is mailed. The same as Set-UMMailboxPIN -LockedOut $true -KeepPin.

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
    Lock-UMMailbox tonysmith@contoso.com

    Locks Tony Smith's mailbox.

    .EXAMPLE
    Get-Content leavers.txt | Lock-UMMailbox

    Locks the mailboxes named in a file, one on each line.

    .LINK
    Unlock-UMMailbox

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
        $run = [UMMailboxPin.ResetRun]::new($runtime, 'Lock-UMMailbox', $true)
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
