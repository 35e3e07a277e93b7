function Get-UMMailboxPIN {
    <#
    .SYNOPSIS
    Shows the state of the telephone PINs of mailboxes that are enabled for Unified Messaging.

    .DESCRIPTION
    Says of each mailbox whether its PIN has expired, whether it is locked, and whether its user has yet to choose a PIN. The PIN itself can not be shown. Whether it has expired is computed from the policy that applies now.

    Without -Identity all mailboxes that are enabled for Unified Messaging are shown, up to -ResultSize. An identity that is given but empty is an error and not a request for all of them.

    .PARAMETER Identity
    The mailbox, in any of the forms that Set-UMMailboxPIN takes. Omitted: all mailboxes enabled for Unified Messaging.

    .PARAMETER ResultSize
    How many mailboxes to show at most: a number, or Unlimited. Omitted: 1000, with a warning when there are more.

    .PARAMETER DomainController
    The fully qualified name of the domain controller to read from. Where it does not answer, no other is asked. The embedded directory has none and ignores it with a warning.

    .PARAMETER IgnoreDefaultScope
    Ignores the default scope of the configuration and searches the whole forest, in a global catalog of Active Directory. -Identity must then be a distinguished name, and -DomainController cannot be used.

    .PARAMETER ReadFromDomainController
    Accepted for compatibility. The state is always read from where it is kept.

    .PARAMETER IgnoreErrors
    Reports mailboxes that cannot be read as warnings instead of errors.

    .PARAMETER Credential
    Accepted for compatibility. Which account reads the directory is set in the configuration; a warning says so.

    .INPUTS
    Anything that names a mailbox: text, a GUID, a mailbox object, an object with a property Identity.

    .OUTPUTS
    UMMailboxPin.UMMailboxPin, with the original's properties UserID, UserObjectId, Identity, PinExpired, LockedOut, FirstTimeUser, ObjectState and IsValid, and with LastSet, ExpiresOn, FailedAttempts, LastFailedAttempt and LockedSince, which Format-List * shows. They can be piped to Set-UMMailboxPIN.

    .EXAMPLE
    Get-UMMailboxPIN -Identity tonysmith@contoso.com

    Shows the state of one mailbox.

    .EXAMPLE
    Get-UMMailboxPIN -ResultSize Unlimited | Where-Object LockedOut | Unlock-UMMailbox

    Unlocks every locked mailbox; the PINs stay as they are.

    .LINK
    Set-UMMailboxPIN

    .LINK
    about_UMMailboxPin
    #>
    [CmdletBinding(HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/get-ummailboxpin')]
    [OutputType([UMMailboxPin.UMMailboxPin])]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [UMMailboxPin.Unlimited] $ResultSize = 1000,

        [UMMailboxPin.Fqdn] $DomainController,

        [switch] $IgnoreDefaultScope,

        [switch] $ReadFromDomainController,

        [switch] $IgnoreErrors,

        [System.Management.Automation.PSCredential]
        [System.Management.Automation.Credential()]
        $Credential
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $listing = [UMMailboxPin.Listing]::OfPins($runtime)
    }

    process {
        $listing.Process($ResultSize)
    }
}
