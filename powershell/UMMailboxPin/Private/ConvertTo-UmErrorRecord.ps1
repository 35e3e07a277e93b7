# Turns a failed answer of the library into an error record.
function ConvertTo-UmErrorRecord {
    param([UMMailboxPin.Answer] $Answer, [object] $TargetObject)

    # After a panic, or in a forked process, the session answers nothing any more: the next cmdlet opens a new one.
    if ($Answer.Status -ge 105 -and $Answer.Status -le 107) {
        Close-UmSession
    }

    if ($null -eq $Answer.Error) {
        return New-UmErrorRecord -Id 'NativeFault' -TargetObject $TargetObject `
            -Message "The native library failed with status $($Answer.Status) and gave no description." `
            -RecommendedAction 'Report this as a defect of umpin.'
    }

    ConvertFrom-UmError -Failure $Answer.Error -TargetObject $TargetObject
}

# The same for an error that is read already, as in the items of a listing.
function ConvertFrom-UmError {
    param([hashtable] $Failure, [object] $TargetObject)

    $details = $Failure['details']
    $message = [string] $Failure['message']
    if ($null -ne $details -and $null -ne $details['problems']) {
        $lines = foreach ($problem in $details['problems']) { 'line {0}: {1}' -f $problem['line'], $problem['message'] }
        $message = $message + [Environment]::NewLine + ($lines -join [Environment]::NewLine)
    }

    New-UmErrorRecord -Id ([string] $Failure['id']) -Message $message -TargetObject $TargetObject `
        -RecommendedAction ([string] $Failure['recommendedAction']) -Rules $(if ($null -ne $details) { $details['rules'] })
}
