# How long the prompt takes to come back after Ctrl+C, and how many PINs are changed without an object by each kind of stop:
# pwsh -NoProfile -File benches/stopping.ps1
# Needs the staged module: cargo xtask module --release
param(
    [string]$ModulePath = (Join-Path (Split-Path $PSScriptRoot) 'target/module'),
    [int]$Runs = 5,
    [int]$Rows = 20000
)

$ErrorActionPreference = 'Stop'
$root = Join-Path ([IO.Path]::GetTempPath()) ('umpin-bench-' + [Guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $root
$env:UMPIN_HOME = $root
$env:PSModulePath = $ModulePath, $env:PSModulePath -join [IO.Path]::PathSeparator
$env:POWERSHELL_TELEMETRY_OPTOUT = '1'

function Write-Rows([string]$Path, [string]$Name, [int]$Count) {
    [IO.File]::WriteAllLines($Path, [string[]]@('Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled'
            1..$Count | ForEach-Object { "$Name $_,u$_@contoso.com,u$_@contoso.com,True" }))
}
function New-Buffer {
    New-Object 'System.Management.Automation.PSDataCollection[psobject]'
}
# Starts a script in a runspace of its own; gives it with what it writes.
function Start-Script([string]$Script, [object[]]$Arguments) {
    $shell = [powershell]::Create()
    $null = $shell.AddScript($Script)
    foreach ($argument in $Arguments) { $null = $shell.AddArgument($argument) }
    $none = New-Buffer
    $none.Complete()
    $out = New-Buffer
    @{ Shell = $shell; Out = $out; Running = $shell.BeginInvoke($none, $out) }
}
function Stop-Script($Started) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $Started.Shell.Stop()
    $watch.Elapsed.TotalMilliseconds
    $Started.Shell.Dispose()
}
function Get-Changed {
    @(Get-UMPinAudit -Cmdlet Set-UMMailboxPIN -Outcome Succeeded | Where-Object Action -EQ Reset).Count
}
function Show-Time([string]$What, [double[]]$Times) {
    $sorted = $Times | Sort-Object
    '{0,-46}{1,8:n0} ms, {2:n0} to {3:n0}' -f $What, $sorted[[int][Math]::Floor($sorted.Count / 2)], $sorted[0], $sorted[-1]
}

try {
    Import-Module UMMailboxPin.Directory
    $few = Join-Path $root 'few.csv'
    Write-Rows $few 'User' 60
    Import-UMDirectory $few -WarningAction SilentlyContinue
    $names = @(1..60 | ForEach-Object { "u$_@contoso.com" })

    "Prompt back after Ctrl+C, median of $Runs, and the range:"
    foreach ($limit in 0, 4) {
        $more = @{ PassThru = $true; SendEmail = $false }
        if ($limit) { $more['ThrottleLimit'] = $limit }
        $times = foreach ($run in 1..$Runs) {
            $started = Start-Script 'param($names, $more) $names | Set-UMMailboxPIN @more' $names, $more
            while ($started.Out.Count -lt 10) { Start-Sleep -Milliseconds 1 }
            # At another moment of a reset each time.
            Start-Sleep -Milliseconds (7 * $run)
            Stop-Script $started
        }
        Show-Time "  resets, $(if ($limit) { "-ThrottleLimit $limit" } else { 'one by one' })" $times
    }
    $many = Join-Path $root 'many.csv'
    $committed = 0
    $times = foreach ($run in 1..$Runs) {
        Write-Rows $many "Run $run" $Rows
        $entries = @(Get-UMPinAudit -Cmdlet Import-UMDirectory -Outcome Succeeded).Count
        $started = Start-Script 'param($file) Import-UMDirectory $file' @($many)
        Start-Sleep -Milliseconds (300 * $run)
        Stop-Script $started
        $committed += @(Get-UMPinAudit -Cmdlet Import-UMDirectory -Outcome Succeeded).Count - $entries
    }
    Show-Time "  import of $Rows rows" $times
    "  of the $Runs imports $committed had been committed before the stop"

    'PINs changed without an object, the most of each kind:'
    $stops = [ordered]@{
        'throw downstream'     = '$names | Set-UMMailboxPIN @more | ForEach-Object { $_; if (++$n -eq 10) { throw 1 } }'
        'Select-Object -First' = '$names | Set-UMMailboxPIN @more | Select-Object -First 10'
        'stopping error'       = '$names[0..39] + ''nobody'' + $names[40..59] | Set-UMMailboxPIN @more -ErrorAction Stop'
        'error upstream'       = '$names | ForEach-Object { if (++$n -eq 20) { throw 1 }; $_ } | Set-UMMailboxPIN @more'
        'Ctrl+C'               = '$names | Set-UMMailboxPIN @more'
    }
    foreach ($limit in 0, 4) {
        $more = @{ PassThru = $true; SendEmail = $false }
        if ($limit) { $more['ThrottleLimit'] = $limit }
        foreach ($kind in $stops.Keys) {
            $without = foreach ($run in 1..$Runs) {
                $before = Get-Changed
                $started = Start-Script ('param($names, $more) ' + $stops[$kind]) $names, $more
                if ($kind -eq 'Ctrl+C') {
                    while ($started.Out.Count -lt 10) { Start-Sleep -Milliseconds 1 }
                    $null = Stop-Script $started
                }
                else {
                    try { $null = $started.Shell.EndInvoke($started.Running) } catch { $null = $_ }
                }
                (Get-Changed) - $before - $started.Out.Count
            }
            '  {0,-22} {1,-18} {2}' -f $kind, $(if ($limit) { "-ThrottleLimit $limit" } else { 'one by one' }), ($without | Measure-Object -Maximum).Maximum
        }
    }
}
finally {
    Set-Location /
    Remove-Item -LiteralPath $root -Recurse -Force
}
