# Another copy or version of this module was imported earlier in the process; its types cannot be unloaded.
function New-StaleAssemblyError {
    param([System.Reflection.Assembly] $Assembly, [string] $Path)

    $message = "This session has loaded '$($Assembly.Location)' (version " +
    "$($Assembly.GetName().Version.ToString(3))); this module needs '$Path' (version $script:ModuleVersion)."
    $exception = [System.InvalidOperationException]::new($message)
    $record = [System.Management.Automation.ErrorRecord]::new(
        $exception, 'NativeLibraryMismatch', [System.Management.Automation.ErrorCategory]::NotInstalled, $Path)
    $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new("$message Open a new PowerShell session.")
    $record.ErrorDetails.RecommendedAction = 'Open a new PowerShell session.'
    $record
}
