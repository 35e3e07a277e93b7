# The only place where error records are made: id, exception class, category, target and recommended action.
function New-UmErrorRecord {
    param(
        [string] $Id,
        [string] $Message,
        [object] $TargetObject,
        [string] $RecommendedAction,
        [object] $Details
    )

    $entry = $script:ErrorCatalogue[$Id]
    if ($null -eq $entry) {
        $entry = $script:ErrorCatalogue['NativeFault']
    }

    $type = [type] ('UMMailboxPin.' + $entry.Exception)
    $exception = $type::new($Message)
    $rules = Get-UmMember $Details 'rules'
    if ($null -ne $rules) {
        $exception.Data['Rules'] = [string[]] $rules
    }

    $record = [System.Management.Automation.ErrorRecord]::new(
        $exception, $Id, [System.Management.Automation.ErrorCategory] $entry.Category, $TargetObject)
    if ($RecommendedAction) {
        $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new($Message)
        $record.ErrorDetails.RecommendedAction = $RecommendedAction
    }
    $record
}
