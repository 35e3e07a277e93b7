# Which native library belongs to this process. RuntimeInformation is missing from the oldest .NET Framework that 5.1 runs on.
function Get-RuntimeIdentifier {
    if ([Environment]::OSVersion.Platform -eq [PlatformID]::Win32NT) {
        $architecture = switch ($env:PROCESSOR_ARCHITECTURE) {
            'AMD64' { 'x64' }
            'ARM64' { 'arm64' }
            default { 'x86' }
        }
        return "win-$architecture"
    }

    $architecture = [System.Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant()
    $platform = [System.Runtime.InteropServices.OSPlatform]::OSX
    if ([System.Runtime.InteropServices.RuntimeInformation]::IsOSPlatform($platform)) { "osx-$architecture" } else { "linux-$architecture" }
}

function Get-NativeLibraryPath {
    param([string] $Rid)

    $name = switch -Wildcard ($Rid) {
        'win-*' { 'umpin.dll' }
        'osx-*' { 'libumpin.dylib' }
        default { 'libumpin.so' }
    }
    [System.IO.Path]::Combine($script:ModuleRoot, 'bin', $Rid, $name)
}

# Checked once per import, at the first cmdlet call: Import-Module and Get-Help work without the library.
function Assert-NativeLibrary {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    if ($script:NativeLibraryChecked) {
        return
    }

    $rid = Get-RuntimeIdentifier
    $path = Get-NativeLibraryPath $rid
    $abi = [uint32] 0
    $version = ''
    $problem = if ([System.IO.File]::Exists($path)) {
        [UMMailboxPin.Native]::Probe([ref] $abi, [ref] $version)
    }
    else {
        'The file does not exist.'
    }

    if ($problem) {
        $Cmdlet.ThrowTerminatingError((New-UmErrorRecord -Id 'NativeLibraryMissing' -TargetObject $path `
                    -Message "The native library for $rid cannot be loaded from '$path'. $problem" `
                    -RecommendedAction "Install a UMMailboxPin package that contains the native library for $rid."))
    }

    $expected = [UMMailboxPin.Native]::AbiNumber
    if ($abi -ne $expected -or ($version -split '[-+]')[0] -ne $script:ModuleVersion) {
        $Cmdlet.ThrowTerminatingError((New-UmErrorRecord -Id 'NativeLibraryMismatch' -TargetObject $path `
                    -Message ("The native library that is loaded has version $version (ABI $abi); " +
                    "this module needs version $script:ModuleVersion (ABI $expected).") `
                    -RecommendedAction 'Open a new PowerShell session, and reinstall UMMailboxPin if the error stays.'))
    }
    $script:NativeLibraryChecked = $true
}

$script:NativeLibraryChecked = $false
