# Turns the library's error JSON (or the bare status, should there be none) into an error record.
function ConvertTo-UmErrorRecord {
    param([uint32] $Status, [string] $Json, [object] $TargetObject)

    # After a panic, or in a forked process, the session answers nothing any more: the next cmdlet opens a new one.
    if ($Status -ge 105 -and $Status -le 107) {
        Close-UmSession
    }

    if (-not $Json) {
        return New-UmErrorRecord -Id 'NativeFault' -TargetObject $TargetObject `
            -Message "The native library failed with status $Status and gave no description." `
            -RecommendedAction 'Report this as a defect of umpin.'
    }

    ConvertFrom-UmError -Failure (ConvertFrom-UmJson $Json) -TargetObject $TargetObject
}

# The same for an error that is already an object, as in the items of a listing.
function ConvertFrom-UmError {
    param([object] $Failure, [object] $TargetObject)

    $details = Get-UmMember $Failure 'details'
    $message = [string] (Get-UmMember $Failure 'message')
    $problems = Get-UmMember $details 'problems'
    if ($null -ne $problems) {
        $lines = foreach ($problem in $problems) { 'line {0}: {1}' -f $problem.line, $problem.message }
        $message = $message + [Environment]::NewLine + ($lines -join [Environment]::NewLine)
    }

    New-UmErrorRecord -Id ([string] (Get-UmMember $Failure 'id')) -Message $message -TargetObject $TargetObject `
        -RecommendedAction ([string] (Get-UmMember $Failure 'recommendedAction')) -Details $details
}
