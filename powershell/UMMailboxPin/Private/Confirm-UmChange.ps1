# ShouldProcess for a function of another module, whose preferences the functions here do not see.
function Confirm-UmChange {
    param($Cmdlet, $Sentence)

    foreach ($preference in (Get-CallerPreference $Cmdlet).GetEnumerator()) {
        $ExecutionContext.SessionState.PSVariable.Set($preference.Key, $preference.Value)
    }
    Request-UmConfirmation $Cmdlet $Sentence
}

# ShouldProcess that fails closed. Where nobody can be asked (not interactive, end of input, job, parallel runspace) it throws,
# and in a script function an exception ends only the statement: the code after "if (-not ShouldProcess) { return }" would run.
function Request-UmConfirmation {
    param($Cmdlet, $Sentence)

    $go = $false
    # -WhatIf shows the sentence alone; -Confirm shows only the question, so the question carries the sentence.
    $question = "Are you sure you want to perform this action?$([Environment]::NewLine)$Sentence"
    try {
        $go = $Cmdlet.ShouldProcess($Sentence, $question, 'Confirm')
    }
    catch {
        $go = $false
        Remove-CaughtError $_
        $Cmdlet.ThrowTerminatingError((New-ConfirmationError $_.Exception.GetBaseException()))
    }
    $go
}

# Nothing was changed, and whoever reads the log of a scheduled task must be able to see that.
function New-ConfirmationError {
    param([Exception] $Exception)

    $record = [System.Management.Automation.ErrorRecord]::new(
        $Exception, 'ConfirmationImpossible', [System.Management.Automation.ErrorCategory]::InvalidOperation, $null)
    $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new(
        "Nothing was changed, because the confirmation could not be asked for. $($Exception.Message)")
    $record.ErrorDetails.RecommendedAction = 'Run the command where the question can be answered, or with -Confirm:$false.'
    $record
}

# PowerShell has put a caught exception into $Error already; without this the rethrown one would stand there twice.
function Remove-CaughtError {
    param([System.Management.Automation.ErrorRecord] $Record)

    $list = $global:Error
    if ($list.Count -gt 0 -and [object]::ReferenceEquals($list[0].Exception, $Record.Exception)) {
        $list.RemoveAt(0)
    }
}
