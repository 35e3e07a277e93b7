# What Get-UMPinNotification and Send-UMPinNotification write. Neither sees a recipient or a PIN: the library tells neither.
function Write-NotificationPage {
    param($Run, $Page)

    Write-UmDiagnostic $Run.Cmdlet $Page.Diagnostics
    if ($null -ne $Page.Failure) {
        Write-UmError $Run $Page.Failure
        return
    }
    foreach ($item in $Page.Items) {
        $state = [string] $item['state']
        $Run.Cmdlet.WriteObject([pscustomobject] @{
                PSTypeName  = 'UMMailboxPin.Notification'
                Identity    = $item['identity']
                State       = $state.Substring(0, 1).ToUpperInvariant() + $state.Substring(1)
                QueuedSince = ConvertFrom-UmTime $item['queuedSince']
                Attempts    = $item['attempts']
                NextAttempt = ConvertFrom-UmTime $item['nextAttempt']
                ExpiresOn   = ConvertFrom-UmTime $item['expiresOn']
                LastError   = $item['lastError']
                Guid        = if ($item['guid']) { [guid] $item['guid'] }
                MessageId   = $item['id']
            })
    }
}

# Sends until the library says that nothing is left, some messages at a time, so that Ctrl+C takes effect between them.
function Send-NotificationQueue {
    param($Run, $Session, $Request, $TargetObject, $PassThru)

    $call = $Request.Clone()
    $call['operation'] = 'sendNotifications'
    do {
        $answer = Invoke-UmRequest -Session $Session -Request $call -TargetObject $TargetObject
        Write-UmDiagnostic $Run.Cmdlet $answer.Diagnostics
        if ($null -ne $answer.Failure) {
            Write-UmError $Run $answer.Failure
            return
        }
        foreach ($item in $answer.Value['items']) {
            Write-SentNotification $Run $item $PassThru
        }
        $call['due'] = $answer.Value['next']
    } while ($null -ne $answer.Value['next'])
    if ($answer.Value['blocked']) {
        Write-UmWarning $Run 'Nothing gets through at the moment: the messages that were not tried yet stay queued.'
    }
}

# The object comes first: under -ErrorAction Stop the caller must still see what became of the message.
function Write-SentNotification {
    param($Run, $Item, $PassThru)

    $outcome = [string] $Item['outcome']
    $name = if ($null -ne $Item['identity']) { 'mailbox "{0}"' -f $Item['identity'] } else { 'a mailbox that is gone' }
    if ($PassThru) {
        $Run.Writing = $true
        $Run.Cmdlet.WriteObject([pscustomobject] @{
                PSTypeName  = 'UMMailboxPin.SentNotification'
                Identity    = $Item['identity']
                Outcome     = $outcome.Substring(0, 1).ToUpperInvariant() + $outcome.Substring(1)
                QueuedSince = ConvertFrom-UmTime $Item['queuedSince']
                Attempts    = $Item['attempts']
                Reason      = $Item['reason']
                Guid        = if ($Item['guid']) { [guid] $Item['guid'] }
                MessageId   = $Item['id']
            })
        $Run.Writing = $false
    }
    $text = switch ($outcome) {
        'queued' { 'The message for {0} could not be delivered and stays queued: {1}.' }
        'failed' { 'The message for {0} was refused and stays queued: {1}.' }
        'expired' { 'The message for {0} could not be delivered in time and was given up: {1}.' }
    }
    if ($text) {
        $action = if ($outcome -eq 'expired') { 'Correct the cause, then reset the PIN again.' }
        else { 'Correct the cause; the message is tried again until it expires.' }
        Write-UmError $Run (New-UmErrorRecord -Id 'NotificationFailed' -TargetObject $Item['identity'] `
                -Message ($text -f $name, $Item['reason']) -RecommendedAction $action)
        return
    }
    $done = switch ($outcome) {
        'sent' { 'The message for {0} was handed over.' -f $name }
        default { 'The message for {0} was not sent: {1}.' -f $name, $Item['reason'] }
    }
    $Run.Cmdlet.WriteVerbose($done)
}
