# Makes messages that wait, in the process of the commands: while their resets are carried out, a file takes the place of the pickup
# directory. Writes the ids of the errors.
function Add-QueuedMessage {
    param([string[]] $Mailboxes, [hashtable] $Parameters = @{}, [switch] $LeaveBlocked)

    $pickup = [System.IO.Path]::Combine($env:UMPIN_HOME, 'pickup')
    $aside = "$pickup.aside"
    foreach ($mailbox in $Mailboxes) {
        if ([System.IO.File]::Exists($pickup)) { [System.IO.File]::Delete($pickup) }
        # The reset has looked at the directory when ShouldProcess says what it will do, and changes nothing before that is read.
        Set-UMMailboxPIN $mailbox @Parameters -Verbose -WarningAction SilentlyContinue -ErrorAction SilentlyContinue -ErrorVariable failed 4>&1 |
            Where-Object { "$_" -like 'Resetting *' } |
            ForEach-Object {
                if ([System.IO.Directory]::Exists($pickup)) { [System.IO.Directory]::Move($pickup, $aside) }
                [System.IO.File]::WriteAllText($pickup, 'in the way')
            }
        $failed | ForEach-Object FullyQualifiedErrorId
    }
    if (-not $LeaveBlocked) {
        [System.IO.File]::Delete($pickup)
        if ([System.IO.Directory]::Exists($aside)) { [System.IO.Directory]::Move($aside, $pickup) }
    }
}
