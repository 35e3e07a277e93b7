# Runs one test file with Pester 5 and writes "passed failed skipped" to a file. Exit code 77: there is no Pester 5.
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Path,
    [Parameter(Mandatory = $true)] [string] $ResultPath,
    [string[]] $ExcludeTag = @()
)

$ErrorActionPreference = 'Stop'
$pester = Get-Module -ListAvailable -Name Pester |
    Where-Object { $_.Version -ge [version] '5.0' } |
    Sort-Object -Property Version -Descending |
    Select-Object -First 1
if (-not $pester) {
    exit 77
}
Import-Module -Name $pester.Path

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Filter.ExcludeTag = $ExcludeTag
$configuration.Output.Verbosity = 'Detailed'
# As a script would run: the tests say themselves what must stop.
$ErrorActionPreference = 'Continue'
$outcome = Invoke-Pester -Configuration $configuration

# A file or block that broke outside of any test has failed, too.
$failed = $outcome.FailedCount + $outcome.FailedBlocksCount + $outcome.FailedContainersCount
[System.IO.File]::WriteAllText($ResultPath, "$($outcome.PassedCount) $failed $($outcome.SkippedCount)")
exit [int] ($failed -gt 0)
