# The audit log, page by page: each page is checked where it is read, and the last one says what became of each chain.

# Asked for with wildcards, a text is compared here; the library compares whole texts.
function New-AuditPattern {
    param([System.Collections.IDictionary] $Request, [string] $Name, [string] $Text)

    if ([System.Management.Automation.WildcardPattern]::ContainsWildcardCharacters($Text)) {
        return [System.Management.Automation.WildcardPattern]::new(
            $Text, [System.Management.Automation.WildcardOptions]::IgnoreCase)
    }
    $Request[$Name] = $Text
    $null
}

function ConvertTo-AuditTime {
    param([datetime] $Date)

    [long] [math]::Floor(($Date.ToUniversalTime() - [datetime]::new(1970, 1, 1, 0, 0, 0, [DateTimeKind]::Utc)).TotalMilliseconds)
}

function ConvertFrom-AuditTime {
    param([long] $Milliseconds)

    [datetime]::new(1970, 1, 1, 0, 0, 0, [DateTimeKind]::Utc).AddMilliseconds($Milliseconds).ToLocalTime()
}

# Writes the operations that the request and the patterns (by field) want, and what the check finds.
function Write-AuditLog {
    param(
        [hashtable] $Run,
        [UMMailboxPin.SessionHandle] $Session,
        [hashtable] $Request,
        [hashtable] $Patterns,
        [UMMailboxPin.Unlimited] $ResultSize,
        [object] $TargetObject
    )

    $left = if ($null -eq $ResultSize) { [uint64]::MaxValue } else { $ResultSize.Value }
    $page = $Request.Clone()
    $page['operation'] = 'audit'
    $cut = $false
    do {
        $answer = Invoke-UmRequest -Session $Session -Request $page -TargetObject $TargetObject
        Write-UmDiagnostic $Run.Cmdlet $answer.Diagnostics
        if ($null -ne $answer.Failure) {
            Write-UmError $Run $answer.Failure
            return
        }
        foreach ($item in $answer.Value['items']) {
            if (-not (Test-AuditPattern $item $Patterns)) {
                continue
            }
            $cut = $left -eq 0
            if ($cut) {
                break
            }
            $left--
            $Run.Cmdlet.WriteObject((New-AuditEntry $item))
        }
        Write-AuditFault $Run $answer.Value
        if ($cut) {
            $Run.Cmdlet.WriteWarning("Only the first $ResultSize results are shown, and the log was not checked to its end. " +
                'Use -ResultSize with a larger number, or a parameter that narrows the result.')
            return
        }
        $page['after'] = $answer.Value['next']
    } while ($null -ne $answer.Value['next'])
    Write-AuditChain $Run $answer.Value['chains'] $Request
}

function Test-AuditPattern {
    param([hashtable] $Item, [hashtable] $Patterns)

    foreach ($name in $Patterns.Keys) {
        if ($null -ne $Patterns[$name] -and -not $Patterns[$name].IsMatch([string] $Item[$name])) {
            return $false
        }
    }
    $true
}

# One error for each broken chain; the library names each once.
function Write-AuditFault {
    param([hashtable] $Run, [hashtable] $Answer)

    foreach ($fault in $Answer['faults']) {
        Write-UmError $Run (ConvertFrom-UmError -Failure $fault -TargetObject $fault['details']['host'])
    }
}

function Write-AuditChain {
    param([hashtable] $Run, [object[]] $Chains, [hashtable] $Request)

    foreach ($chain in $Chains) {
        $name = 'The audit chain of host "{0}"' -f $chain['host']
        if ($chain['state'] -eq 'tornTail') {
            $Run.Cmdlet.WriteWarning("$name ends in the middle of an entry: writing or copying it was interrupted. What is there is intact.")
        }
        if ($chain['removed'] -gt 0) {
            $text = '{0} begins after {1:g}: {2} entries that were older have been removed, as the configuration wants it.' -f
            $name, $(if ($null -ne $chain['removedUntil']) { ConvertFrom-AuditTime $chain['removedUntil'] }), $chain['removed']
            if ($Request.ContainsKey('since') -and $null -ne $chain['removedUntil'] -and $Request['since'] -le $chain['removedUntil']) {
                $Run.Cmdlet.WriteWarning($text)
            }
            else {
                $Run.Cmdlet.WriteVerbose($text)
            }
        }
    }
}

# Intent and outcome of one operation in one object: the library joins them.
function New-AuditEntry {
    param([hashtable] $Item)

    $parameters = $null
    if ($null -ne $Item['parameters']) {
        $sorted = [ordered] @{}
        foreach ($name in [string[]] @($Item['parameters'].Keys | Microsoft.PowerShell.Utility\Sort-Object)) {
            $sorted[$name] = $Item['parameters'][$name]
        }
        $parameters = [pscustomobject] $sorted
    }
    [pscustomobject] @{
        PSTypeName  = 'UMMailboxPin.AuditEntry'
        Date        = ConvertFrom-AuditTime $Item['at']
        Cmdlet      = $Item['cmdlet']
        Action      = $Item['action']
        Caller      = $Item['caller']
        Host        = $Item['host']
        Target      = $Item['target']
        TargetGuid  = $Item['targetGuid']
        Parameters  = $parameters
        Succeeded   = $Item['succeeded']
        Result      = $Item['result']
        Details     = $Item['details']
        Application = $Item['application']
        OperationId = $Item['operationId']
        Kind        = $Item['kind']
        Entry       = $Item['seq']
        ChainState  = if ($Item['chainState'] -eq 'intact') { 'Intact' } else { 'Broken' }
    }
}

# The full path, resolved against PowerShell's location and drives, which the library does not know.
function Resolve-AuditPath {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [string] $Path)

    $provider = $null
    $drive = $null
    $file = $null
    $problem = $null
    try {
        $file = $Cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path, [ref] $provider, [ref] $drive)
        if ($provider.Name -ne 'FileSystem') {
            $problem = "'$Path' is not a file."
        }
    }
    catch {
        $problem = "'$Path' is not a file. $($_.Exception.GetBaseException().Message)"
        Remove-CaughtError $_
    }
    if ($problem) {
        $Cmdlet.ThrowTerminatingError((New-UmErrorRecord -Id 'AuditFileUnusable' -Message $problem -TargetObject $Path `
                    -RecommendedAction 'Pass the path of a file.'))
    }
    $file
}
