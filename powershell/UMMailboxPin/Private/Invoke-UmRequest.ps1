# One request, one answer with its Value or its Failure. The library waits in short steps, so that Ctrl+C takes effect between them.
function Invoke-UmRequest {
    param([UMMailboxPin.SessionHandle] $Session, [System.Collections.IDictionary] $Request, [object] $TargetObject)

    $answer = [UMMailboxPin.Native]::NewRequest($Session, $Request)
    if (-not $answer.Failed) {
        $handle = $answer.Handle
        try {
            do {
                $answer = [UMMailboxPin.Native]::WaitRequest($handle)
            } while ($answer.Pending)
        }
        finally {
            $handle.Dispose()
        }
    }
    if ($answer.Failed) {
        $answer.Failure = ConvertTo-UmErrorRecord $answer $TargetObject
    }
    $answer
}
