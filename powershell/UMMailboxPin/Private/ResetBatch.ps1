# -ThrottleLimit: accepted resets go to the library's batch at once; what they gave is written in the order of the input, so
# an item that failed before it was submitted waits in the queue for those ahead of it.
function Add-ResetAnswer {
    param($Run, $Answer)

    if ($Run.Queue.Count -eq 0) {
        Write-ResetAnswer $Run $Answer
        return
    }
    $Run.Queue.Enqueue(@{ Answer = $Answer; TargetObject = $null })
    Receive-ResetAnswer $Run
}

function Submit-ResetPlan {
    param($Run, $InputObject)

    if ($null -eq $Run.Batch) {
        $answer = [UMMailboxPin.Native]::NewBatch($Run.Session, $Run.Threads)
        if ($answer.Failed) {
            $Run.Cmdlet.ThrowTerminatingError((ConvertTo-UmErrorRecord $answer $InputObject))
        }
        $Run.Batch = $answer.Handle
    }

    do {
        $answer = [UMMailboxPin.Native]::BatchSubmit($Run.Batch, $Run.Plan)
        if ($answer.Pending) {
            # The window is full: the oldest must be collected first.
            Receive-ResetAnswer $Run -One
        }
    } while ($answer.Pending)

    if ($answer.Failed) {
        Add-ResetAnswer $Run (Complete-UmAnswer $answer $InputObject)
    }
    else {
        $Run.Queue.Enqueue(@{ Answer = $null; TargetObject = $InputObject })
        Receive-ResetAnswer $Run
    }
}

# Writes what has been answered. -One waits until at least one submitted item has been; -All until every one has.
function Receive-ResetAnswer {
    param($Run, [switch] $One, [switch] $All)

    $collected = 0
    while ($Run.Queue.Count -gt 0) {
        $item = $Run.Queue.Peek()
        $answer = $item.Answer
        if ($null -eq $answer) {
            $wait = $All -or ($One -and $collected -eq 0)
            $answer = Wait-ResetAnswer $Run $item.TargetObject $wait
            if ($null -eq $answer) {
                return
            }
            $collected++
        }
        # Taken off before it is written: writing may stop the pipeline.
        $null = $Run.Queue.Dequeue()
        Write-ResetAnswer $Run $answer
    }
}

function Wait-ResetAnswer {
    param($Run, $TargetObject, [bool] $Wait)

    do {
        $answer = [UMMailboxPin.Native]::BatchCollect($Run.Batch, $Wait)
        if ($answer.Pending) {
            if (-not $Wait) {
                return $null
            }
            if ($Run.Progress.IsDue()) {
                Write-UmProgress $Run
            }
        }
    } while ($answer.Pending)
    Complete-UmAnswer $answer $TargetObject
}

# The orderly end waits for and writes every outcome.
function Complete-ResetRun {
    param($Run)

    Receive-ResetAnswer $Run -All
    if ($Run.Progress.Shown) {
        Complete-UmProgress $Run
    }
}
