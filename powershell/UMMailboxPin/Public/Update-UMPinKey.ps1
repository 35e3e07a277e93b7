function Update-UMPinKey {
    <#
    .SYNOPSIS
    Replaces the key that protects the PINs, and seals everything anew while the directory is in use.

    .DESCRIPTION
    Makes a key, seals everything that is written from then on under it, and then seals anew what was sealed before: PIN records, counters of failed sign-ins, queued messages and the heads of the audit log. No PIN changes, and no user notices. Resets and sign-ins go on meanwhile; where one changes a mailbox at the same time, its change stands. The audit log and its earlier exports can still be checked: the former key's audit key is kept in the directory, sealed under the new key.

    The new key takes the name of the key file, so the configuration stays as it is. The former key lies beside it, with its key id added to the name, until you remove it: RemovableFiles in the result names the files that nothing in the directory needs any more. Keep a removed key with the backups that were made before, because they need it.

    An update that ended early goes on where this command is called next.

    Where the configuration names several key files, the active one is the new key, and the command seals everything under that; no key is made. The command never changes the configuration.

    With Active Directory, other computers may use the same PINs, and each needs the new key before the first PIN is sealed under it. There the command has two parts: with -NewKeyOnly on one computer, after which you copy the file to the same place on each of the others, then without it on each of them. Each mailbox is one change, which is replicated: 50 a second unless -MaximumPerSecond says otherwise.

    .PARAMETER NewKeyOnly
    Makes the key and stops. The file waits beside the key file, and the next call without this parameter takes it.

    .PARAMETER ResealOnly
    Makes no key: seals anew what is still sealed under a former one, and says whether a former key file is still needed.

    .PARAMETER MaximumPerSecond
    Changes at most so many mailboxes a second, 1 to 10000. Omitted: 50 with Active Directory, as many as it can in the embedded store.

    .INPUTS
    None.

    .OUTPUTS
    UMMailboxPin.KeyUpdateResult

    .EXAMPLE
    Update-UMPinKey -Confirm:$false

    Replaces the key of an embedded store. Without -Confirm:$false the command asks first.

    .EXAMPLE
    (Update-UMPinKey -Confirm:$false).RemovableFiles | Remove-Item

    Replaces the key without a question and removes the former key file, where no backup needs it.

    .EXAMPLE
    Update-UMPinKey -ResealOnly -Confirm:$false | Select-Object IsComplete, RemovableFiles

    Says whether anything needs a former key.

    .LINK
    about_UMMailboxPin
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/set-ummailboxpin')]
    [OutputType([UMMailboxPin.KeyUpdateResult])]
    param(
        [switch] $NewKeyOnly,

        [switch] $ResealOnly,

        [ValidateRange(1, 10000)]
        [PSDefaultValue(Help = '50 with Active Directory, otherwise no limit')]
        [int] $MaximumPerSecond
    )

    $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
    $update = [UMMailboxPin.KeyUpdate]::new($runtime)
    $update.Process()
}
