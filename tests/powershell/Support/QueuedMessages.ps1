# Makes messages that wait, in the process of the commands: the pickup directory is a file while their resets are carried out.
function Add-QueuedMessage {
    param([string[]] $Mailboxes)

    $pickup = [System.IO.Path]::Combine($env:UMPIN_HOME, 'pickup')
    $aside = "$pickup.aside"
    & (Get-Module UMMailboxPin) {
        param($Pickup, $Aside)
        $script:TestPickup = $Pickup, $Aside
        $script:TestAsk = ${function:Request-UmConfirmation}
        # Between the look at the directory and the change.
        Set-Item -Path function:script:Request-UmConfirmation -Value {
            if ([System.IO.Directory]::Exists($script:TestPickup[0])) {
                [System.IO.Directory]::Move($script:TestPickup[0], $script:TestPickup[1])
            }
            [System.IO.File]::WriteAllText($script:TestPickup[0], 'in the way')
            $true
        }
    } $pickup $aside
    foreach ($mailbox in $Mailboxes) {
        if ([System.IO.File]::Exists($pickup)) { [System.IO.File]::Delete($pickup) }
        $null = Set-UMMailboxPIN $mailbox -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
    }
    [System.IO.File]::Delete($pickup)
    if ([System.IO.Directory]::Exists($aside)) { [System.IO.Directory]::Move($aside, $pickup) }
    & (Get-Module UMMailboxPin) { Set-Item -Path function:script:Request-UmConfirmation -Value $script:TestAsk }
}
