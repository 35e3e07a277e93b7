# The full path of the file, resolved against PowerShell's location and drives, which the library does not know.
function Resolve-ImportPath {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [string] $Path)

    $provider = $null
    $drive = $null
    $file = $Path
    $problem = $null
    try {
        $file = $Cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path, [ref] $provider, [ref] $drive)
        if ($provider.Name -ne 'FileSystem') {
            $problem = "'$Path' is not a file."
        }
    }
    catch {
        $problem = "'$Path' is not a file. $($_.Exception.GetBaseException().Message)"
        Invoke-Core 'Remove-CaughtError' @{ Record = $_ }
    }

    if (-not $problem -and [System.IO.Directory]::Exists($file)) {
        $problem = "'$file' is a folder and not a file."
    }
    if (-not $problem -and -not [System.IO.File]::Exists($file)) {
        $problem = "The file '$file' does not exist."
    }
    if ($problem) {
        $Cmdlet.ThrowTerminatingError((Invoke-Core 'New-UmErrorRecord' @{
                    Id = 'ImportInvalid'; Message = $problem; TargetObject = $Path
                    RecommendedAction = 'Pass the path of a CSV or LDIF file.'
                }))
    }
    $file
}

function Get-ImportSentence {
    param([string] $File, [object] $Counts)

    'Importing from file "{0}" into "{1}": {2} mailboxes created, {3} updated, {4} unchanged; rows left out: {5}; policies created: {6}.' -f
    $File, $Counts['location'], $Counts['mailboxesCreated'], $Counts['mailboxesUpdated'], $Counts['mailboxesUnchanged'], @($Counts['skipped']).Count,
    $(if (@($Counts['policiesCreated']).Count) { @($Counts['policiesCreated']) -join ', ' } else { 'none' })
}

function Write-ImportWarning {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [string] $File, [object] $Counts, [switch] $Trial)

    foreach ($row in @($Counts['skipped'])) {
        $Cmdlet.WriteWarning(('Line {0} of "{1}" was left out: {2}' -f $row['line'], $File, $row['message']))
    }
    $ignored = @($Counts['ignoredColumns'])
    if ($ignored.Count -gt 0) {
        $Cmdlet.WriteWarning(('Columns that are not known and were ignored: {0}.' -f ($ignored -join ', ')))
    }
    # Rules that nobody decided on. Policies and users lie in different parts of a forest, so an LDIF export may lack them too.
    $madeUp = @($Counts['policiesDefaulted'])
    if ($madeUp.Count -gt 0) {
        $text = if ($Trial) { 'Policies to be created: {0}. They will have' } else { 'Policies created: {0}. They have' }
        $Cmdlet.WriteWarning((($text + ' the default settings; see Get-UMMailboxPolicy.') -f ($madeUp -join ', ')))
    }
}

function New-ImportResult {
    param([object] $Counts)

    [pscustomobject] @{
        PSTypeName         = 'UMMailboxPin.ImportResult'
        MailboxesCreated   = $Counts['mailboxesCreated']
        MailboxesUpdated   = $Counts['mailboxesUpdated']
        MailboxesUnchanged = $Counts['mailboxesUnchanged']
        PoliciesCreated    = [string[]] @($Counts['policiesCreated'])
        PoliciesUpdated    = [string[]] @($Counts['policiesUpdated'])
        SkippedLines       = [int[]] @($Counts['skipped'] | Microsoft.PowerShell.Core\ForEach-Object { $_['line'] })
        Location           = $Counts['location']
    }
}
