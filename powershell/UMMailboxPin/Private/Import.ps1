# The version in the manifest. While a module is being imported it does not know its own version yet.
function Get-ModuleVersion {
    $manifest = [System.IO.File]::ReadAllText([System.IO.Path]::Combine($script:ModuleRoot, 'UMMailboxPin.psd1'))
    if ($manifest -match "(?m)^\s*ModuleVersion\s*=\s*'([\d.]+)'") { $Matches[1] } else { '' }
}

# Another copy or version of this module was imported earlier in the process; its types cannot be unloaded.
function New-StaleAssemblyError {
    $message = "This session has loaded '$($script:InteropAssembly.Location)' (version " +
    "$($script:InteropAssembly.GetName().Version.ToString(3))); this module needs '$script:InteropPath' (version $script:ModuleVersion)."
    $exception = [System.InvalidOperationException]::new($message)
    $record = [System.Management.Automation.ErrorRecord]::new(
        $exception, 'NativeLibraryMismatch', [System.Management.Automation.ErrorCategory]::NotInstalled, $script:InteropPath)
    $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new("$message Open a new PowerShell session.")
    $record.ErrorDetails.RecommendedAction = 'Open a new PowerShell session.'
    $record
}
