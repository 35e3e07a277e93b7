# Checked once per import, at the first cmdlet call: Import-Module and Get-Help work without the library.
function Assert-NativeLibrary {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    $problem = [UMMailboxPin.Library]::Load()
    if ($problem) {
        $path = [UMMailboxPin.Library]::FilePath
        $Cmdlet.ThrowTerminatingError((New-UmErrorRecord -Id 'NativeLibraryMissing' -TargetObject $path `
                    -Message "The native library cannot be loaded from '$path'. $problem" `
                    -RecommendedAction 'Install a UMMailboxPin package that contains the native library for this platform.'))
    }

    $problem = [UMMailboxPin.Library]::CheckVersion($script:ModuleVersion)
    if ($problem) {
        $Cmdlet.ThrowTerminatingError((New-UmErrorRecord -Id 'NativeLibraryMismatch' -TargetObject ([UMMailboxPin.Library]::FilePath) `
                    -Message $problem `
                    -RecommendedAction 'Open a new PowerShell session, and reinstall UMMailboxPin if the error stays.'))
    }
    $script:NativeLibraryChecked = $true
}
