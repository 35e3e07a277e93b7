# One request, one answer with its Value or its Failure. The library waits in short steps, so that Ctrl+C takes effect between them.
function Invoke-UmRequest {
    param($Session, $Request, $TargetObject)

    $answer = [UMMailboxPin.Native]::Request($Session, $Request)
    if ($answer.Pending) {
        $answer = Wait-UmRequest $answer.Handle
    }
    if ($answer.Failed) {
        $answer.Failure = ConvertTo-UmErrorRecord $answer $TargetObject
    }
    $answer
}

function Wait-UmRequest {
    param($Handle)

    try {
        do {
            $answer = [UMMailboxPin.Native]::WaitRequest($Handle)
        } while ($answer.Pending)
        $answer
    }
    finally {
        $Handle.Dispose()
    }
}
