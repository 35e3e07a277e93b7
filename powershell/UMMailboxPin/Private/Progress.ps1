# Progress for long runs only, at most five updates a second: each one costs the host more than the look-up of a mailbox.
function New-UmProgress {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [string] $Activity)

    @{ Cmdlet = $Cmdlet; Activity = $Activity; Clock = [System.Diagnostics.Stopwatch]::StartNew(); Last = [long] 0; Count = 0; Shown = $false }
}

function Write-UmProgress {
    param([hashtable] $Progress, [switch] $Item)

    if ($Item) {
        $Progress.Count++
    }
    $now = $Progress.Clock.ElapsedMilliseconds
    if ($now -lt 2000 -or $now - $Progress.Last -lt 200) {
        return
    }
    $Progress.Last = $now
    $Progress.Shown = $true
    $record = [System.Management.Automation.ProgressRecord]::new(0, $Progress.Activity, "$($Progress.Count) mailboxes")
    $Progress.Cmdlet.WriteProgress($record)
}

function Complete-UmProgress {
    param([hashtable] $Progress)

    if ($Progress.Shown) {
        $Progress.Shown = $false
        $record = [System.Management.Automation.ProgressRecord]::new(0, $Progress.Activity, 'Completed')
        $record.RecordType = [System.Management.Automation.ProgressRecordType]::Completed
        $Progress.Cmdlet.WriteProgress($record)
    }
}
