# Starts one reset: the answer's Handle is the plan. The PIN crosses beside the request, as bytes that are cleared.
function New-ResetPlan {
    param([hashtable] $Run, [string] $Identity, [object] $TargetObject, [bool] $WhatIf)

    $request = $Run.Request.Clone()
    $request['identity'] = $Identity
    if ($WhatIf) {
        $request['whatIf'] = $true
    }
    Complete-UmAnswer ([UMMailboxPin.Native]::NewPlan($Run.Session, $request, $Run.Pin)) $TargetObject
}

# Waits for the look-up: the answer's Value is what would be reset.
function Get-ResetTarget {
    param([UMMailboxPin.PlanHandle] $Plan, [object] $TargetObject)

    do {
        $answer = [UMMailboxPin.Native]::PlanTarget($Plan)
    } while ($answer.Pending)
    Complete-UmAnswer $answer $TargetObject
}

# Everything that commit would check, history included, without changing anything.
function Test-ResetPlan {
    param([UMMailboxPin.PlanHandle] $Plan, [object] $TargetObject)

    do {
        $answer = [UMMailboxPin.Native]::PlanValidate($Plan)
    } while ($answer.Pending)
    Complete-UmAnswer $answer $TargetObject
}

# Carries the reset out. Stopped while waiting, it is finished by the library all the same.
function Complete-ResetPlan {
    param([UMMailboxPin.PlanHandle] $Plan, [object] $TargetObject)

    do {
        $answer = [UMMailboxPin.Native]::PlanCommit($Plan)
    } while ($answer.Pending)
    Complete-UmAnswer $answer $TargetObject
}

# Adds to an answer of the library what belongs to the caller.
function Complete-UmAnswer {
    param([UMMailboxPin.Answer] $Answer, [object] $TargetObject)

    $Answer.TargetObject = $TargetObject
    if ($Answer.Failed) {
        $Answer.Failure = ConvertTo-UmErrorRecord $Answer $TargetObject
    }
    $Answer
}
