# The only place where error records are made: id, exception class, category, target and recommended action.
function New-UmErrorRecord {
    param(
        [string] $Id,
        [string] $Message,
        [object] $TargetObject,
        [string] $RecommendedAction,
        [string[]] $Rules
    )

    $catalogue = Get-ErrorCatalogue
    $entry = $catalogue[$Id]
    if ($null -eq $entry) {
        $entry = $catalogue['NativeFault']
    }

    $type = [type] ('UMMailboxPin.' + $entry.Exception)
    $exception = $type::new($Message)
    if ($null -ne $Rules) {
        $exception.Data['Rules'] = $Rules
    }

    $record = [System.Management.Automation.ErrorRecord]::new(
        $exception, $Id, [System.Management.Automation.ErrorCategory] $entry.Category, $TargetObject)
    if ($RecommendedAction) {
        $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new($Message)
        $record.ErrorDetails.RecommendedAction = $RecommendedAction
    }
    $record
}
