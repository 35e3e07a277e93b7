# -ThrottleLimit: accepted resets go to the library's batch at once; what they gave is written in the order of the input, so
# an item that failed before it was submitted waits in the queue for those ahead of it.
function Add-ResetAnswer {
    param([hashtable] $Run, [hashtable] $Answer)

    if ($Run.Queue.Count -eq 0) {
        Write-ResetAnswer $Run $Answer
        return
    }
    $Run.Queue.Enqueue(@{ Answer = $Answer; TargetObject = $null })
    Receive-ResetAnswer $Run
}

function Submit-ResetPlan {
    param([hashtable] $Run, [object] $InputObject)

    $failure = ''
    if ($null -eq $Run.Batch) {
        $batch = $null
        $status = [UMMailboxPin.Native]::NewBatch($Run.Session, $Run.Threads, [ref] $batch, [ref] $failure)
        if ($status -ne [UMMailboxPin.Native]::Ok) {
            $Run.Cmdlet.ThrowTerminatingError((ConvertTo-UmErrorRecord -Status $status -Json $failure -TargetObject $InputObject))
        }
        $Run.Batch = $batch
    }

    do {
        $status = [UMMailboxPin.Native]::BatchSubmit($Run.Batch, $Run.Plan, [ref] $failure)
        if ($status -eq [UMMailboxPin.Native]::Pending) {
            # The window is full: the oldest must be collected first.
            Receive-ResetAnswer $Run -One
        }
    } while ($status -eq [UMMailboxPin.Native]::Pending)

    if ($status -eq [UMMailboxPin.Native]::Ok) {
        $Run.Queue.Enqueue(@{ Answer = $null; TargetObject = $InputObject })
        Receive-ResetAnswer $Run
    }
    else {
        Add-ResetAnswer $Run (ConvertTo-UmAnswer -Status $status -Json $failure -TargetObject $InputObject)
    }
}

# Writes what has been answered. -One waits until at least one submitted item has been; -All until every one has.
function Receive-ResetAnswer {
    param([hashtable] $Run, [switch] $One, [switch] $All)

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
    param([hashtable] $Run, [object] $TargetObject, [bool] $Wait)

    $index = [uint64] 0
    $text = ''
    $pin = $null
    $failure = ''
    $timeout = if ($Wait) { $script:WaitMilliseconds } else { [uint32] 0 }
    do {
        $status = [UMMailboxPin.Native]::BatchCollect($Run.Batch, $timeout, [ref] $index, [ref] $text, [ref] $pin, [ref] $failure)
        if ($status -eq [UMMailboxPin.Native]::Pending) {
            if (-not $Wait) {
                return $null
            }
            Write-UmProgress $Run.Progress
        }
    } while ($status -eq [UMMailboxPin.Native]::Pending)
    ConvertTo-UmAnswer -Status $status -Text $text -Pin $pin -Json $failure -TargetObject $TargetObject
}

# The orderly end waits for and writes every outcome; a stop accepts nothing more and lets what is in flight finish.
function Complete-ResetRun {
    param([hashtable] $Run)

    Receive-ResetAnswer $Run -All
    Close-ResetRun $Run
    Complete-UmProgress $Run.Progress
}

function Close-ResetRun {
    param([hashtable] $Run)

    Close-ResetPlan $Run
    $Run.Pin = ''
    if ($null -ne $Run.Batch) {
        $Run.Batch.Drain(30000)
        $Run.Batch.Dispose()
        $Run.Batch = $null
    }
}
