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

    'Importing from file "{0}" into "{1}": {2} mailboxes created, {3} updated, {4} unchanged, {5} rows left out; policies created: {6}.' -f
    $File, $Counts.location, $Counts.mailboxesCreated, $Counts.mailboxesUpdated, $Counts.mailboxesUnchanged, @($Counts.skipped).Count,
    $(if (@($Counts.policiesCreated).Count) { @($Counts.policiesCreated) -join ', ' } else { 'none' })
}

function Write-ImportWarning {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [string] $File, [object] $Counts)

    foreach ($row in @($Counts.skipped)) {
        $Cmdlet.WriteWarning(('Line {0} of "{1}" was left out: {2}' -f $row.line, $File, $row.message))
    }
    $ignored = @(Invoke-Core 'Get-UmMember' @{ InputObject = $Counts; Name = 'ignoredColumns' })
    if ($ignored.Count -gt 0) {
        $Cmdlet.WriteWarning(('Columns that are not known and were ignored: {0}.' -f ($ignored -join ', ')))
    }
    $created = @($Counts.policiesCreated)
    if ($created.Count -gt 0) {
        # An LDIF file brings its policies along; a CSV file can only name them.
        $text = 'Policies created: {0}.' -f ($created -join ', ')
        if ([System.IO.Path]::GetExtension($File) -in '.ldf', '.ldif') {
            $Cmdlet.WriteVerbose($text)
        }
        else {
            $Cmdlet.WriteWarning("$text They have the default settings; see Get-UMMailboxPolicy.")
        }
    }
}

function New-ImportResult {
    param([object] $Counts)

    [pscustomobject] @{
        PSTypeName         = 'UMMailboxPin.ImportResult'
        MailboxesCreated   = $Counts.mailboxesCreated
        MailboxesUpdated   = $Counts.mailboxesUpdated
        MailboxesUnchanged = $Counts.mailboxesUnchanged
        PoliciesCreated    = [string[]] @($Counts.policiesCreated)
        PoliciesUpdated    = [string[]] @($Counts.policiesUpdated)
        SkippedLines       = [int[]] @($Counts.skipped | Microsoft.PowerShell.Core\ForEach-Object { $_.line })
        Location           = $Counts.location
    }
}
