# Starts one reset: @{ Plan; Failure; Diagnostics }. The PIN crosses as bytes beside the JSON, and the bytes are cleared.
function New-ResetPlan {
    param([hashtable] $Run, [string] $Identity, [object] $TargetObject, [bool] $WhatIf)

    $request = $Run.Request.Clone()
    $request['identity'] = $Identity
    if ($WhatIf) {
        $request['whatIf'] = $true
    }

    $plan = $null
    $failure = ''
    $pin = $null
    try {
        if ($Run.Pin) {
            $pin = [System.Text.Encoding]::UTF8.GetBytes($Run.Pin)
        }
        $status = [UMMailboxPin.Native]::NewPlan($Run.Session, (ConvertTo-UmJson $request), $pin, [ref] $plan, [ref] $failure)
    }
    finally {
        if ($null -ne $pin) {
            [array]::Clear($pin, 0, $pin.Length)
        }
    }
    ConvertTo-UmAnswer -Status $status -Plan $plan -Json $failure -TargetObject $TargetObject
}

# Waits for the look-up: @{ Value = what would be reset; Failure; Diagnostics }.
function Get-ResetTarget {
    param([UMMailboxPin.PlanHandle] $Plan, [object] $TargetObject)

    $text = ''
    $failure = ''
    do {
        $status = [UMMailboxPin.Native]::PlanTarget($Plan, $script:WaitMilliseconds, [ref] $text, [ref] $failure)
    } while ($status -eq [UMMailboxPin.Native]::Pending)
    ConvertTo-UmAnswer -Status $status -Text $text -Json $failure -TargetObject $TargetObject
}

# Everything that commit would check, history included, without changing anything.
function Test-ResetPlan {
    param([UMMailboxPin.PlanHandle] $Plan, [object] $TargetObject)

    $failure = ''
    do {
        $status = [UMMailboxPin.Native]::PlanValidate($Plan, $script:WaitMilliseconds, [ref] $failure)
    } while ($status -eq [UMMailboxPin.Native]::Pending)
    ConvertTo-UmAnswer -Status $status -Json $failure -TargetObject $TargetObject
}

# Carries the reset out. Stopped while waiting, it is finished by the library all the same.
function Complete-ResetPlan {
    param([UMMailboxPin.PlanHandle] $Plan, [object] $TargetObject)

    $text = ''
    $pin = $null
    $failure = ''
    do {
        $status = [UMMailboxPin.Native]::PlanCommit($Plan, $script:WaitMilliseconds, [ref] $text, [ref] $pin, [ref] $failure)
    } while ($status -eq [UMMailboxPin.Native]::Pending)
    ConvertTo-UmAnswer -Status $status -Text $text -Pin $pin -Json $failure -TargetObject $TargetObject
}

# One shape for every answer of the library about a reset.
function ConvertTo-UmAnswer {
    param(
        [uint32] $Status,
        [UMMailboxPin.PlanHandle] $Plan,
        [string] $Text,
        [System.Security.SecureString] $Pin,
        [string] $Json,
        [object] $TargetObject
    )

    $answer = @{ Plan = $Plan; Value = $null; Pin = $Pin; Failure = $null; Diagnostics = @(); TargetObject = $TargetObject }
    if ($Status -ne [UMMailboxPin.Native]::Ok) {
        $answer.Failure = ConvertTo-UmErrorRecord -Status $Status -Json $Json -TargetObject $TargetObject
        $answer.Diagnostics = @(Get-UmDiagnostic $Json)
    }
    elseif ($Text) {
        $answer.Value = ConvertFrom-UmJson $Text
        $answer.Diagnostics = @(Get-UmMember $answer.Value 'diagnostics')
    }
    $answer
}
