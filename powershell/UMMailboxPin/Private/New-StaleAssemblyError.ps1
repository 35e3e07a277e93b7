# Another copy or version of this module was imported earlier in the process; its types cannot be unloaded.
function New-StaleAssemblyError {
    param([string] $Message)

    $record = [System.Management.Automation.ErrorRecord]::new(
        [System.InvalidOperationException]::new($Message), 'NativeLibraryMismatch',
        [System.Management.Automation.ErrorCategory]::NotInstalled, $PSScriptRoot)
    $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new("$Message Open a new PowerShell session.")
    $record.ErrorDetails.RecommendedAction = 'Open a new PowerShell session.'
    $record
}
