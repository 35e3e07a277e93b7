# One JSON request, one answer: @{ Value; Failure }. Waits in short steps, so that Ctrl+C takes effect between them.
$script:WaitMilliseconds = [uint32] 200

function Invoke-UmRequest {
    param([UMMailboxPin.SessionHandle] $Session, [System.Collections.IDictionary] $Request, [object] $TargetObject)

    $handle = $null
    $text = ''
    $failure = ''
    $status = [UMMailboxPin.Native]::NewRequest($Session, (ConvertTo-UmJson $Request), [ref] $handle, [ref] $failure)
    if ($status -eq [UMMailboxPin.Native]::Ok) {
        try {
            do {
                $status = [UMMailboxPin.Native]::WaitRequest($handle, $script:WaitMilliseconds, [ref] $text, [ref] $failure)
            } while ($status -eq [UMMailboxPin.Native]::Pending)
        }
        finally {
            $handle.Dispose()
        }
    }

    if ($status -ne [UMMailboxPin.Native]::Ok) {
        return @{
            Value       = $null
            Failure     = ConvertTo-UmErrorRecord -Status $status -Json $failure -TargetObject $TargetObject
            Diagnostics = @(Get-UmDiagnostic $failure)
        }
    }
    $value = ConvertFrom-UmJson $text
    @{ Value = $value; Failure = $null; Diagnostics = @(Get-UmMember $value 'diagnostics') }
}

# What -Verbose adds to a failure: the library's diagnostics, and which mailboxes an ambiguous value matches.
function Get-UmDiagnostic {
    param([string] $Json)

    if (-not $Json) {
        return
    }
    $failure = ConvertFrom-UmJson $Json
    Get-UmMember $failure 'diagnostics'
    $matched = Get-UmMember (Get-UmMember $failure 'details') 'matches'
    foreach ($name in $matched) {
        "Matching mailbox: $name"
    }
}
