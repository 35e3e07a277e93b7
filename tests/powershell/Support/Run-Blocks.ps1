# Runs the PowerShell blocks of a document in order, in one session as a reader would, and writes what each showed: its errors,
# and its output as text.
param(
    [Parameter(Mandatory = $true)] [string] $Blocks,
    [Parameter(Mandatory = $true)] [string] $Result
)

if (Test-Path -LiteralPath variable:PSStyle) {
    $PSStyle.OutputRendering = 'PlainText'
}
$ProgressPreference = 'SilentlyContinue'
# A reader answers yes.
$ConfirmPreference = 'None'
# Beside the names that a document may use.
$private:umpinBlocks = @(ConvertFrom-Json ([System.IO.File]::ReadAllText($Blocks)))
$private:umpinResults = @(
    foreach ($umpinBlock in $umpinBlocks) {
        $umpinCaught = $null
        try {
            $umpinRecords = @(. ([scriptblock]::Create($umpinBlock)) 2>&1 3>&1)
        }
        catch {
            $umpinCaught = $_
            $umpinRecords = @()
        }
        $umpinErrors = @($umpinRecords | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] }) + @($umpinCaught | Where-Object { $_ })
        @{
            Errors = @($umpinErrors | ForEach-Object { "$($_.FullyQualifiedErrorId): $_" })
            Shown  = ($umpinRecords | Out-String -Width 120)
        }
    }
)
[System.IO.File]::WriteAllText($Result, (ConvertTo-Json -InputObject $umpinResults -Depth 4))
