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
    ($Times | Sort-Object)[[int][Math]::Floor($Times.Count / 2)]
}

function Measure-Start([string]$Script) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    & $pwsh -NoProfile -NonInteractive -Command $Script | Out-Null
    $watch.Elapsed.TotalMilliseconds
}

# Messages that nobody collects are warned about, and warnings would be measured.
function Clear-Pickup {
    Get-ChildItem -Path (Join-Path $root 'pickup') -File | Remove-Item
}

# What no cmdlet can be faster than: a reset by the library alone, which is the derivation and, a few milliseconds with the disk,
# the look-up, the durable commit and the message. `cargo bench --bench reset` takes it apart.
$byLibrary = {
    function Measure-Library([string]$Identity) {
        & (Get-Module UMMailboxPin) {
            param($Identity)
            $session = $script:Connection.Session
            $request = @{ cmdlet = 'Set-UMMailboxPIN'; identity = $Identity }
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $plan = [UMMailboxPin.Native]::NewPlan($session, $request, '').Handle
            do { $answer = [UMMailboxPin.Native]::PlanTarget($plan, $false) } while ($answer.Pending)
            do { $answer = [UMMailboxPin.Native]::PlanCommit($plan) } while ($answer.Pending)
            $plan.Dispose()
            $watch.Elapsed.TotalMilliseconds
            if ($answer.Failed) { throw $answer.Error['message'] }
        } $Identity
    }

    function Measure-Cmdlet([string]$Identity) {
        $watch = [Diagnostics.Stopwatch]::StartNew()
        Set-UMMailboxPIN $Identity
        $watch.Elapsed.TotalMilliseconds
    }
}

# Two things that are compared are measured in turns, and what is shown is the median of their differences: machines drift.
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

    $starts = foreach ($run in 1..$Runs) {
        $bare = Measure-Start 'exit 0'
        $nothing = Measure-Start "Import-Module '$empty'; exit 0"
        $import = Measure-Start 'Import-Module UMMailboxPin; exit 0'
        @{ Bare = $bare; Nothing = $nothing - $bare; Import = $import - $bare }
    }
    'a bare start                              {0,6:n0} ms' -f (Measure-Median $starts.Bare)
    'importing an empty module adds            {0,6:n0} ms' -f (Measure-Median $starts.Nothing)
    'importing the module adds                 {0,6:n0} ms' -f (Measure-Median $starts.Import)

    $firsts = foreach ($run in 1..$Runs) {
        $first, $library = [double[]](& $pwsh -NoProfile -NonInteractive -Command @"
$byLibrary
Import-Module UMMailboxPin
Measure-Cmdlet user$run@contoso.com
`$null = 1..3 | ForEach-Object { Measure-Library "user`$_@contoso.com" }
(4..8 | ForEach-Object { Measure-Library "user`$_@contoso.com" } | Sort-Object)[2]
"@)
        Clear-Pickup
        @{ First = $first; Beside = $first - $library }
    }
    'the first reset of a process              {0,6:n0} ms' -f (Measure-Median $firsts.First)
    '  beside a later one by the library alone {0,6:n0} ms' -f (Measure-Median $firsts.Beside)

    . $byLibrary
    $further = foreach ($n in 0..59) {
        $library = Measure-Library "user$n@contoso.com"
        $cmdlet = Measure-Cmdlet "user$n@contoso.com"
        Clear-Pickup
        @{ Library = $library; Cmdlet = $cmdlet; Beside = $cmdlet - $library }
    }
    $further = $further[10..59]
    'a reset by the library alone              {0,6:n1} ms' -f (Measure-Median $further.Library)
    'each further one, by call                 {0,6:n1} ms' -f (Measure-Median $further.Cmdlet)
    '  beside the library                      {0,6:n1} ms' -f (Measure-Median $further.Beside)

    $watch = [Diagnostics.Stopwatch]::StartNew()
    Get-UMMailboxPIN -ResultSize 60 -WarningAction SilentlyContinue | Set-UMMailboxPIN
    'each of 60 in one pipeline                {0,6:n1} ms' -f ($watch.Elapsed.TotalMilliseconds / 60)
} finally {
    Remove-Item -Recurse -Force $root
}
