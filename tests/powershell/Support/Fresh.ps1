# Common set-up. Every test runs the staged module in a fresh PowerShell process with a store of its own: preferences, loaded
# libraries and $Error are those of a user's session, and nothing stays locked.

$script:Repository = [System.IO.Path]::GetFullPath([System.IO.Path]::Combine($PSScriptRoot, '..', '..', '..'))
$script:Fixtures = [System.IO.Path]::Combine($PSScriptRoot, '..', 'fixtures')

# The tests run on the embedded directory, and again on Active Directory, in the forest that `cargo xtask test pester` keeps.
# There, what has the tag `Embedded` is left out; beside each stands why.
$script:OnActiveDirectory = $env:UMPIN_TEST_DIRECTORY -eq 'activeDirectory'
if ($script:OnActiveDirectory) {
    $script:Forest = ConvertFrom-Json $env:UMPIN_TEST_FOREST
}

function Get-StagedPath {
    if ($env:UMPIN_MODULE_PATH) { return $env:UMPIN_MODULE_PATH }
    [System.IO.Path]::Combine($script:Repository, 'target', 'module')
}

function Get-Fixture {
    param([string] $Name)

    [System.IO.Path]::GetFullPath([System.IO.Path]::Combine($script:Fixtures, $Name))
}

function Get-PowerShellPath {
    if ($env:UMPIN_PWSH) { return $env:UMPIN_PWSH }
    (Get-Process -Id $PID).Path
}

function New-TestFolder {
    $path = [System.IO.Path]::Combine([System.IO.Path]::GetTempPath(), 'umpin-test-' + [guid]::NewGuid().ToString('N'))
    $null = [System.IO.Directory]::CreateDirectory($path)
    $path
}

function Remove-TestFolder {
    param([string] $Path)

    if ($Path -and [System.IO.Directory]::Exists($Path)) {
        [System.IO.Directory]::Delete($Path, $true)
    }
}

# A data folder, and a directory with the people of the fixture, none of whom has a PIN yet.
function New-TestStore {
    if ($script:OnActiveDirectory) { New-ForestStore } else { New-EmbeddedStore }
}

# A store filled from the fixture. Made once for all test files of this process, then copied: no process has it open by then.
function New-EmbeddedStore {
    $master = $env:UMPIN_TEST_STORE
    if (-not $master -or -not [System.IO.Directory]::Exists($master)) {
        $master = New-TestFolder
        $run = Invoke-Fresh -Store $master -Variables @{ File = Get-Fixture 'contoso.csv' } -Script {
            Import-UMDirectory -Path $V.File -WarningAction SilentlyContinue
        }
        if ($run.ErrorText) {
            throw "The fixture could not be imported: $($run.ErrorText)"
        }
        $env:UMPIN_TEST_STORE = $master
        $null = Register-EngineEvent -SourceIdentifier PowerShell.Exiting -SupportEvent -Action {
            [System.IO.Directory]::Delete($env:UMPIN_TEST_STORE, $true)
        }
    }
    $store = New-TestFolder
    foreach ($item in Get-ChildItem -LiteralPath $master -Force) {
        Copy-Item -LiteralPath $item.FullName -Destination $store -Recurse -Force
    }
    if (-not ($env:OS -eq 'Windows_NT')) {
        # The key and the store must be their owner's only; Copy-Item keeps the mode of files, not that of the folder.
        chmod 700 $store
    }
    $store
}

# A host of the forest, which has the fixture already. The one before it may have left records and counters there.
function New-ForestStore {
    $null = Invoke-Ldap ldapmodify -Lines @(
        foreach ($row in Import-Csv -LiteralPath (Get-Fixture 'contoso.csv') -Encoding UTF8) {
            'dn:: ' + [System.Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($row.DistinguishedName))
            'changetype: modify', 'replace: msExchUMPinChecksum', '-', 'replace: extensionAttribute15', '-', ''
        })
    $store = New-TestFolder
    chmod 700 $store
    cp --preserve=mode $script:Forest.key ([System.IO.Path]::Combine($store, 'umpin.key'))
    Set-TestConfiguration $store @{}
    $store
}

# A program of OpenLDAP's, as the account that umpin has.
function Invoke-Ldap {
    param([string] $Program, [string[]] $Arguments = @(), [string[]] $Lines = @())

    $directory = $script:Forest.directory
    $env:LDAPTLS_CACERT = $directory.caFile
    $output = $Lines | & $Program -x -H "ldaps://$($directory.domainControllers[0])" -D $directory.bind.user -y $directory.bind.passwordFile @Arguments
    if ($LASTEXITCODE -ne 0) {
        throw "$Program ended with $LASTEXITCODE"
    }
    $output
}

# The configuration of a store, with what a test wants in it.
function Set-TestConfiguration {
    param([string] $Store, [hashtable] $Sections)

    $configuration = $Sections.Clone()
    if ($script:OnActiveDirectory) {
        $configuration['directory'] = $script:Forest.directory
        $configuration['keys'] = @{ active = 'k1'; k1 = 'umpin.key' }
    }
    $json = ConvertTo-Json -InputObject $configuration -Depth 8
    [System.IO.File]::WriteAllText([System.IO.Path]::Combine($Store, 'umpin.json'), $json)
}

# What the directory has that is not in the store's folder: records and counters.
function Get-DirectoryState {
    if ($script:OnActiveDirectory) {
        Invoke-Ldap ldapsearch '-LLL', '-o', 'ldif-wrap=no', '-b', 'DC=contoso,DC=com', '(msExchUMEnabledFlags=*)', 'msExchUMPinChecksum', 'extensionAttribute15'
    }
}

# Of two values the one for the directory on which the tests run, where that makes a difference.
function Select-ByDirectory {
    param($Embedded, $ActiveDirectory)

    if ($script:OnActiveDirectory) { $ActiveDirectory } else { $Embedded }
}

# How many resets have been carried out with a message: one file each.
function Get-MessageCount {
    param([string] $Store)

    @(Get-Message $Store).Count
}

function Get-Message {
    param([string] $Store)

    $pickup = [System.IO.Path]::Combine($Store, 'pickup')
    if ([System.IO.Directory]::Exists($pickup)) {
        [System.IO.Directory]::GetFiles($pickup, '*.eml') | Sort-Object | ForEach-Object { [System.IO.File]::ReadAllText($_) }
    }
}

# Runs a script block as a script file in a new process. Output: what it wrote to the pipeline, as objects; Text: what the host
# showed (What if, warnings, verbose); ErrorText: the error stream as shown. $V in the block holds -Variables.
function Invoke-Fresh {
    param(
        [Parameter(Mandatory)] [scriptblock] $Script,
        [string] $Store,
        [hashtable] $Variables = @{},
        [hashtable] $Environment = @{},
        [string] $Answers = '',
        [string] $ModulePath = (Get-StagedPath),
        [switch] $NonInteractive,
        # As `pwsh -Command` and not as `pwsh -File`.
        [switch] $AsCommand
    )

    $folder = New-TestFolder
    try {
        $file = [System.IO.Path]::Combine($folder, 'script.ps1')
        $main = [System.IO.Path]::Combine($folder, 'main.ps1')
        $data = [System.IO.Path]::Combine($folder, 'variables.xml')
        $result = [System.IO.Path]::Combine($folder, 'output.xml')
        Export-Clixml -LiteralPath $data -InputObject $Variables
        $encoding = New-Object System.Text.UTF8Encoding $true
        [System.IO.File]::WriteAllText($file, $Script.ToString(), $encoding)
        [System.IO.File]::WriteAllText($main, @"
`$V = Import-Clixml -LiteralPath '$data'
`$Work = '$folder'
`$ProgressPreference = 'SilentlyContinue'
& '$file' | Export-Clixml -LiteralPath '$result' -Depth 4
"@, $encoding)

        $start = New-Object System.Diagnostics.ProcessStartInfo
        $start.FileName = Get-PowerShellPath
        $run = if ($AsCommand) { '-Command "& ''{0}''"' } else { '-File "{0}"' }
        $start.Arguments = '-NoProfile {0} {1}' -f $(if ($NonInteractive) { '-NonInteractive' }), ($run -f $main)
        $start.UseShellExecute = $false
        $start.RedirectStandardInput = $true
        $start.RedirectStandardOutput = $true
        $start.RedirectStandardError = $true
        $start.WorkingDirectory = $folder
        $start.EnvironmentVariables['PSModulePath'] = $ModulePath + [System.IO.Path]::PathSeparator + $env:PSModulePath
        $start.EnvironmentVariables['NO_COLOR'] = '1'
        foreach ($name in 'UMPIN_HOME', 'UMPIN_CONFIG') {
            $start.EnvironmentVariables.Remove($name)
        }
        # Never the tester's own store.
        foreach ($name in 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'LOCALAPPDATA', 'APPDATA') {
            $start.EnvironmentVariables[$name] = $folder
        }
        if ($Store) {
            $start.EnvironmentVariables['UMPIN_HOME'] = $Store
        }
        foreach ($name in $Environment.Keys) {
            $start.EnvironmentVariables[$name] = $Environment[$name]
        }

        $process = [System.Diagnostics.Process]::Start($start)
        $out = $process.StandardOutput.ReadToEndAsync()
        $err = $process.StandardError.ReadToEndAsync()
        $process.StandardInput.Write($Answers)
        $process.StandardInput.Close()
        if (-not $process.WaitForExit(120000)) {
            $process.Kill()
            throw 'The PowerShell process did not end within two minutes.'
        }
        $process.WaitForExit()

        [pscustomobject] @{
            # Empty where the process was ended while it wrote.
            Output    = @(if ([System.IO.File]::Exists($result) -and ([System.IO.FileInfo] $result).Length -gt 3) { Import-Clixml -LiteralPath $result })
            Text      = $out.Result
            ErrorText = $err.Result
            ExitCode  = $process.ExitCode
            All       = $out.Result + $err.Result
        }
    }
    finally {
        Remove-TestFolder $folder
    }
}
