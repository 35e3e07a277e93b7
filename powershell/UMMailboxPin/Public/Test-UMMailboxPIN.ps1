function Test-UMMailboxPIN {
    <#
    .SYNOPSIS
    Signs in to a mailbox with a PIN, as the telephone system would.

    .DESCRIPTION
    This is a real attempt: a wrong PIN is counted, may reset the PIN and mail a new one, and may lock the mailbox; the right PIN clears the count. An attempt that did not count would be a free guess, so -WhatIf is refused.

    An answer that lets nobody in comes half a second after the question or later, and the right PIN after an eighth of a second, as on the telephone.

    .PARAMETER Identity
    The mailbox: its GUID, distinguished name, canonical name, DOMAIN\account, user principal name, any of its e-mail addresses, LegacyExchangeDN, alias, account name or name. Mailbox objects are taken from the pipeline. There are no wildcards.

    .PARAMETER Pin
    The PIN, as text, or better as a SecureString or the password of a PSCredential: what is typed as text stays in the shell's history and in transcripts. 05738291 is what was typed, its zero included; a number in a variable is its digits. Omitted: it is asked for and not shown; where nobody can be asked, an error.

    .PARAMETER DomainController
    The fully qualified name of the domain controller to read from and to write to. Where it does not answer, no other is asked. The embedded directory has none and ignores it with a warning.

    .PARAMETER IgnoreDefaultScope
    Ignores the default scope of the configuration and searches the whole forest, in a global catalog of Active Directory; what it finds is read and changed on a controller of its own domain. -Identity must then be a distinguished name, and -DomainController cannot be used.

    .INPUTS
    Anything that names a mailbox: text, a GUID, a mailbox object, an object with a property Identity.

    .OUTPUTS
    UMMailboxPin.SignInResult. Outcome is Accepted, ChangeRequired (the right PIN, which has expired), Rejected, ResetByFailures (a wrong PIN, after which a new one was mailed) or Locked. AttemptsUntilReset and AttemptsUntilLock are empty where the policy has no limit; PinExpiresOn is empty unless the PIN was right.

    .EXAMPLE
    Test-UMMailboxPIN tonysmith@contoso.com -Pin (Read-Host PIN -AsSecureString)

    Asks for a PIN and tells whether it opens Tony Smith's mailbox.

    .EXAMPLE
    $result = Set-UMMailboxPIN tonysmith@contoso.com -PassThru; $result | Test-UMMailboxPIN -Pin $result.Pin

    Resets a PIN and tries it: the outcome is ChangeRequired.

    .LINK
    Get-UMMailboxPIN

    .LINK
    Unlock-UMMailbox
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Low', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/set-ummailboxpin')]
    [OutputType([UMMailboxPin.SignInResult])]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [Parameter(Position = 1)]
        [ValidateNotNullOrEmpty()]
        [UMMailboxPin.PinTransformation()]
        [string] $Pin,

        [UMMailboxPin.Fqdn] $DomainController,

        [switch] $IgnoreDefaultScope
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $signIn = [UMMailboxPin.SignIn]::new($runtime)
    }

    process {
        $signIn.Process()
    }
}
