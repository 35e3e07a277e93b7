# What runs at import. The stager appends this to the module's functions.
Microsoft.PowerShell.Core\Set-StrictMode -Version Latest

# As in UMMailboxPin.
$script:PSDefaultParameterValues = @{}

foreach ($hidden in $script:ExistingCommands) {
    $source = if ($hidden.ModuleName) { "of module '$($hidden.ModuleName)'" } else { 'of this session' }
    Microsoft.PowerShell.Utility\Write-Warning ("This session already has a $($hidden.Name) ($source). The one of " +
        'UMMailboxPin.Directory takes its place, unless this module is imported with -NoClobber or -Prefix.')
}
