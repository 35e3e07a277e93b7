# What -WhatIf and -Confirm show: the resolved mailbox and everything that will happen to it, never the PIN.
function Get-ResetSentence {
    param([object] $Target, [bool] $SendEmail)

    $mailbox = '"{0}"' -f $Target.identity
    $recipient = Get-UmMember $Target 'recipient'
    $effects = @()
    if ($Target.keepsPin) {
        $start = if ($Target.lockedOut) { 'Locking' } else { 'Unlocking' }
        $start = "$start the telephone access of mailbox $mailbox without changing its PIN"
        if ($Target.pinExpired) {
            $effects += 'the PIN must be changed at the next sign-in'
        }
    }
    else {
        $start = "Resetting the Unified Messaging PIN of mailbox $mailbox"
        $source = if ($Target.generatesPin) { 'a new PIN is generated' } else { 'the given PIN is set' }
        $delivery = if ($SendEmail -and $recipient) { "and mailed to $recipient" } else { 'and not mailed to anyone' }
        $effects += "$source $delivery"
        $effects += if ($Target.pinExpired) { 'it must be changed at the next sign-in' } else { 'it need not be changed at the next sign-in' }
        $effects += if ($Target.lockedOut) { 'the mailbox is locked' } else { 'the mailbox is unlocked' }
    }

    if ($effects.Count -eq 0) {
        return "$start."
    }
    '{0}: {1}.' -f $start, ($effects -join '; ')
}
