# What the module costs beside PowerShell itself, in one run on one host: pwsh -NoProfile -File benches/module.ps1
# Needs the staged module: cargo xtask module --release
param(
    [string]$ModulePath = (Join-Path (Split-Path $PSScriptRoot) 'target/module'),
    [int]$Runs = 15
)

$ErrorActionPreference = 'Stop'
$pwsh = (Get-Process -Id $PID).Path
$root = Join-Path ([IO.Path]::GetTempPath()) ('umpin-bench-' + [Guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $root
$env:UMPIN_HOME = $root
$env:PSModulePath = $ModulePath + [IO.Path]::PathSeparator + $env:PSModulePath

function Measure-Median([double[]]$Times) {
    ($Times | Sort-Object)[[int]($Times.Count / 2)]
}

# Alternating, so that a machine whose speed drifts does not favour one of them.
function Measure-Start([string[]]$Scripts) {
    $times = @{}
    foreach ($script in $Scripts) { $times[$script] = @() }
    for ($run = 0; $run -lt $Runs; $run++) {
        foreach ($script in $Scripts) {
            $watch = [Diagnostics.Stopwatch]::StartNew()
            & $pwsh -NoProfile -NonInteractive -Command $script | Out-Null
            $times[$script] += $watch.Elapsed.TotalMilliseconds
        }
    }
    foreach ($script in $Scripts) { Measure-Median $times[$script] }
}

try {
    $people = Join-Path $root 'people.csv'
    $rows = foreach ($n in 0..99) { "User $n,user$n@contoso.com,user$n@contoso.com,True" }
    Set-Content -Path $people -Value (@('Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled') + $rows)
    Import-Module UMMailboxPin.Directory
    Import-UMDirectory -Path $people -WarningAction SilentlyContinue

    # What Import-Module costs with any module, to tell that apart from what this one costs.
    $empty = Join-Path $root 'Empty'
    $null = New-Item -ItemType Directory -Path $empty
    Set-Content -Path (Join-Path $empty 'Empty.psm1') -Value 'function Get-Empty { }'
    Set-Content -Path (Join-Path $empty 'Empty.psd1') -Value "@{ RootModule = 'Empty.psm1'; ModuleVersion = '1.0'; FunctionsToExport = 'Get-Empty' }"

    $bare, $nothing, $import = Measure-Start @('exit 0', "Import-Module '$empty'; exit 0", 'Import-Module UMMailboxPin; exit 0')
    'a bare start                    {0,8:n0} ms' -f $bare
    'importing an empty module adds  {0,8:n0} ms' -f ($nothing - $bare)
    'importing the module adds       {0,8:n0} ms' -f ($import - $bare)

    $first = @()
    # One derivation and one durable commit are in these figures; benches/reset.rs says what they cost.
    for ($run = 0; $run -lt $Runs; $run++) {
        $first += [double](& $pwsh -NoProfile -NonInteractive -Command @"
Import-Module UMMailboxPin
`$watch = [Diagnostics.Stopwatch]::StartNew()
Set-UMMailboxPIN user$run@contoso.com
`$watch.Elapsed.TotalMilliseconds
"@)
    }
    'the first reset of a process    {0,8:n1} ms' -f (Measure-Median $first)

    $each = foreach ($n in 0..59) {
        $watch = [Diagnostics.Stopwatch]::StartNew()
        Set-UMMailboxPIN "user$n@contoso.com"
        $watch.Elapsed.TotalMilliseconds
    }
    'each further one, by call       {0,8:n1} ms' -f (Measure-Median $each[10..59])

    $watch = [Diagnostics.Stopwatch]::StartNew()
    Get-UMMailboxPIN -ResultSize 60 -WarningAction SilentlyContinue | Set-UMMailboxPIN
    'each of 60 in one pipeline      {0,8:n1} ms' -f ($watch.Elapsed.TotalMilliseconds / 60)
} finally {
    Remove-Item -Recurse -Force $root
}
