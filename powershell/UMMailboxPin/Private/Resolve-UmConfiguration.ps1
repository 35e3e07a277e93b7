# Where the configuration file and the data lie. Looked up here and not in the library, which on Unix does not see what a
# running PowerShell sets in $env: or with Set-Location; looked up at every call, so that both take effect at once.
function Resolve-UmConfiguration {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    $base = $Cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath
    $places = Get-UmPlace
    $configFile = $null
    $dataDirectory = $null

    if ($env:UMPIN_HOME) {
        $dataDirectory = Resolve-UmPath $env:UMPIN_HOME $base
    }

    if ($env:UMPIN_CONFIG) {
        $configFile = Resolve-UmPath $env:UMPIN_CONFIG $base
        if (-not [System.IO.File]::Exists($configFile)) {
            $Cmdlet.ThrowTerminatingError((New-UmErrorRecord -Id 'ConfigurationInvalid' -TargetObject $configFile `
                        -Message "The environment variable UMPIN_CONFIG names '$configFile', which does not exist." `
                        -RecommendedAction 'Correct or remove the environment variable UMPIN_CONFIG.'))
        }
    }
    elseif ($dataDirectory) {
        $configFile = Get-FirstFile ([System.IO.Path]::Combine($dataDirectory, 'umpin.json'))
    }
    else {
        $configFile = Get-FirstFile $places.MachineConfig $places.UserConfig
    }

    if (-not $dataDirectory) {
        # Several administrators and the telephone system share the machine's store; it comes before the user's own.
        $machineStore = [System.IO.Path]::Combine($places.MachineData, 'directory.db')
        $dataDirectory = if ([System.IO.File]::Exists($machineStore) -or -not $places.UserData) { $places.MachineData } else { $places.UserData }
    }

    @{ ConfigFile = $configFile; DataDirectory = $dataDirectory }
}

function Get-FirstFile {
    foreach ($path in $args) {
        if ($path -and [System.IO.File]::Exists($path)) {
            return $path
        }
    }
    $null
}

function Resolve-UmPath {
    param([string] $Path, [string] $Base)

    if ($Path -eq '~' -or $Path -match '^~[\\/]') {
        $Path = [System.IO.Path]::Combine((Get-UserHome), $Path.Substring(1).TrimStart('\', '/'))
    }
    [System.IO.Path]::GetFullPath([System.IO.Path]::Combine($Base, $Path))
}

function Get-UserHome {
    if ($env:HOME) { $env:HOME } else { [Environment]::GetFolderPath('UserProfile') }
}

function Get-UmPlace {
    if ([Environment]::OSVersion.Platform -eq [PlatformID]::Win32NT) {
        $machine = [System.IO.Path]::Combine([Environment]::GetFolderPath('CommonApplicationData'), 'umpin')
        return @{
            MachineConfig = [System.IO.Path]::Combine($machine, 'umpin.json')
            MachineData   = $machine
            UserConfig    = [System.IO.Path]::Combine([Environment]::GetFolderPath('ApplicationData'), 'umpin', 'umpin.json')
            UserData      = [System.IO.Path]::Combine([Environment]::GetFolderPath('LocalApplicationData'), 'umpin')
        }
    }

    @{
        MachineConfig = '/etc/umpin/umpin.json'
        MachineData   = '/var/lib/umpin'
        UserConfig    = Get-XdgPath $env:XDG_CONFIG_HOME '.config' 'umpin/umpin.json'
        UserData      = Get-XdgPath $env:XDG_DATA_HOME '.local/share' 'umpin'
    }
}

# The XDG rules: a relative value is invalid and ignored.
function Get-XdgPath {
    param([string] $Value, [string] $Default, [string] $Rest)

    if ($Value -and $Value.StartsWith('/')) {
        return [System.IO.Path]::Combine($Value, $Rest)
    }
    $userHome = Get-UserHome
    if ($userHome) { [System.IO.Path]::Combine($userHome, $Default, $Rest) } else { $null }
}
