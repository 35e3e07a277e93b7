# Shows how far a long run is. [UMMailboxPin.Progress] knows when.
function Write-UmProgress {
    param($Run)

    $record = [System.Management.Automation.ProgressRecord]::new(
        0, 'Resetting Unified Messaging PINs', "$($Run.Progress.Count) mailboxes")
    $Run.Cmdlet.WriteProgress($record)
}

function Complete-UmProgress {
    param($Run)

    $record = [System.Management.Automation.ProgressRecord]::new(0, 'Resetting Unified Messaging PINs', 'Completed')
    $record.RecordType = [System.Management.Automation.ProgressRecordType]::Completed
    $Run.Cmdlet.WriteProgress($record)
}
