# Starts one reset in $Run.Plan and waits for the look-up, with -Validate for everything that commit would check too, history
# included: the answer's Value is what would be reset. The PIN crosses beside the request, as bytes that are cleared.
function New-ResetPlan {
    param([hashtable] $Run, [string] $Identity, [object] $TargetObject, [bool] $WhatIf, [bool] $Validate)

    $request = $Run.Request.Clone()
    $request['identity'] = $Identity
    if ($WhatIf) {
        $request['whatIf'] = $true
    }
    $answer = [UMMailboxPin.Native]::NewPlan($Run.Session, $request, $Run.Pin)
    if (-not $answer.Failed) {
        $Run.Plan = $answer.Handle
        do {
            $answer = [UMMailboxPin.Native]::PlanTarget($Run.Plan, $Validate)
        } while ($answer.Pending)
    }
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
