# What the module costs beside PowerShell itself, in one run on one host: pwsh -NoProfile -File benches/module.ps1
# Needs the staged module: cargo xtask module --release
#
# Two things that are compared are measured in turns, because machines drift: what one takes beside the other is the median of the
# differences. On a machine that does something else meanwhile the minima tell more, so their difference is shown as well.
param(
    [string]$ModulePath = (Join-Path (Split-Path $PSScriptRoot) 'target/module'),
    [int]$Runs = 15
)

$ErrorActionPreference = 'Stop'
$pwsh = (Get-Process -Id $PID).Path
$root = Join-Path ([IO.Path]::GetTempPath()) ('umpin-bench-' + [Guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $root
$modules = Join-Path $root 'modules'
$env:UMPIN_HOME = $root
$env:PSModulePath = $modules, $ModulePath, $env:PSModulePath -join [IO.Path]::PathSeparator

# PowerShell starts its own telemetry with the first module, where it has not done so before; that is not the module's doing.
$env:POWERSHELL_TELEMETRY_OPTOUT = '1'

# PowerShell keeps what modules export, from some seconds after it first imported them. Where it never did, it waits 75 ms for that
# file whenever a module is named, and reckons anew: not what an import costs from the second session on.
$env:PSModuleAnalysisCachePath = Join-Path $root 'ModuleAnalysisCache'
function Wait-AnalysisCache {
    & $pwsh -NoProfile -NonInteractive -Command {
        Import-Module Empty, UMMailboxPin
        foreach ($second in 1..60) {
            if (Test-Path -LiteralPath $env:PSModuleAnalysisCachePath) { break }
            Start-Sleep -Seconds 1
        }
    }
    if (-not (Test-Path -LiteralPath $env:PSModuleAnalysisCachePath)) { throw 'PowerShell has not written its cache of modules.' }
}

function Measure-Median([double[]]$Times) {
    ($Times | Sort-Object)[[int][Math]::Floor($Times.Count / 2)]
}

function Measure-Minimum([double[]]$Times) {
    ($Times | Measure-Object -Minimum).Minimum
}

function Show-Time([string]$What, [double[]]$Times) {
    '{0,-42}{1,8:n1} ms, at least {2:n1}' -f $What, (Measure-Median $Times), (Measure-Minimum $Times)
}

function Show-Difference([string]$What, [double[]]$Times, [double[]]$Beside) {
    $differences = for ($pair = 0; $pair -lt $Times.Count; $pair++) { $Times[$pair] - $Beside[$pair] }
    '{0,-42}{1,8:n1} ms, of the minima {2:n1}' -f $What, (Measure-Median $differences),
    ((Measure-Minimum $Times) - (Measure-Minimum $Beside))
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
            $plan = [UMMailboxPin.Native]::NewPlan($session, $request, $null).Handle
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

try {
    $people = Join-Path $root 'people.csv'
    $rows = foreach ($n in 0..99) { "User $n,user$n@contoso.com,user$n@contoso.com,True" }
    Set-Content -Path $people -Value (@('Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled') + $rows)
    Import-Module UMMailboxPin.Directory
    Import-UMDirectory -Path $people -WarningAction SilentlyContinue

    # What Import-Module costs with any module, to tell that apart from what this one costs.
    $empty = Join-Path $modules 'Empty'
    $null = New-Item -ItemType Directory -Path $empty
    Set-Content -Path (Join-Path $empty 'Empty.psm1') -Value 'function Get-Empty { }'
    Set-Content -Path (Join-Path $empty 'Empty.psd1') -Value "@{ RootModule = 'Empty.psm1'; ModuleVersion = '1.0'; FunctionsToExport = 'Get-Empty' }"
    Wait-AnalysisCache

    $starts = foreach ($run in 1..$Runs) {
        @{
            Bare   = Measure-Start 'exit 0'
            Empty  = Measure-Start 'Import-Module Empty; exit 0'
            Import = Measure-Start 'Import-Module UMMailboxPin; exit 0'
        }
    }
    Show-Time 'a bare start' $starts.Bare
    Show-Difference 'importing an empty module adds' $starts.Empty $starts.Bare
    Show-Difference 'importing the module adds' $starts.Import $starts.Bare

    $firsts = foreach ($run in 1..$Runs) {
        $first, $library = [double[]](& $pwsh -NoProfile -NonInteractive -Command @"
$byLibrary
Import-Module UMMailboxPin
Measure-Cmdlet user$run@contoso.com
`$null = 1..3 | ForEach-Object { Measure-Library "user`$_@contoso.com" }
(4..8 | ForEach-Object { Measure-Library "user`$_@contoso.com" } | Sort-Object)[2]
"@)
        Clear-Pickup
        @{ First = $first; Library = $library }
    }
    Show-Time 'the first reset of a process' $firsts.First
    Show-Difference '  beside a later one by the library alone' $firsts.First $firsts.Library

    . $byLibrary
    $further = foreach ($n in 0..59) {
        $library = Measure-Library "user$n@contoso.com"
        $cmdlet = Measure-Cmdlet "user$n@contoso.com"
        Clear-Pickup
        @{ Library = $library; Cmdlet = $cmdlet }
    }
    $further = $further[10..59]
    Show-Time 'a reset by the library alone' $further.Library
    Show-Time 'each further one, by call' $further.Cmdlet
    Show-Difference '  beside the library' $further.Cmdlet $further.Library

    $watch = [Diagnostics.Stopwatch]::StartNew()
    Get-UMMailboxPIN -ResultSize 60 -WarningAction SilentlyContinue | Set-UMMailboxPIN
    'each of 60 in one pipeline                {0,8:n1} ms' -f ($watch.Elapsed.TotalMilliseconds / 60)
} finally {
    Remove-Item -Recurse -Force $root
}
