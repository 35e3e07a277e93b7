# The pipeline of Set-UMMailboxPIN, and of Lock-UMMailbox and Unlock-UMMailbox, which are resets that keep the PIN. Its state is a
# [UMMailboxPin.ResetRun]. What writes is called from those, so it sees the preferences that they took from their callers.
function Start-ResetRun {
    param($Cmdlet, $Bound, $Name)

    try {
        $connection = Open-UmDirectory $Cmdlet
        [UMMailboxPin.ResetRun]::new($Cmdlet, $Name, $Bound, $connection, $VerbosePreference)
    }
    catch {
        if (Test-UmStop $null $_) { throw }
        $Cmdlet.ThrowTerminatingError($_)
    }
}

# One item. A stop, whatever its reason, closes the run: neither end nor a later process would be called.
function Step-ResetRun {
    param($Run, $InputObject)

    $completed = $false
    try {
        Invoke-ResetItem $Run $InputObject
        $completed = $true
    }
    catch {
        if (Test-UmStop $Run $_) { throw }
        $Run.Cmdlet.ThrowTerminatingError($_)
    }
    finally {
        if (-not $completed) {
            $Run.Close()
        }
    }
}

function Stop-ResetRun {
    param($Run)

    try {
        if ($Run.Unfinished) {
            Complete-ResetRun $Run
        }
    }
    catch {
        if (Test-UmStop $Run $_) { throw }
        $Run.Cmdlet.ThrowTerminatingError($_)
    }
    finally {
        $Run.Close()
    }
}

# Looks one mailbox up, asks, and resets it or hands it to the batch.
function Invoke-ResetItem {
    param($Run, $InputObject)

    if ($Run.NextItem()) {
        Write-ResetStart $Run
    }

    $identity = if ($InputObject -is [string]) { $InputObject } else { Get-IdentityText $InputObject }
    $answer = $Run.Look($identity, [bool] $WhatIfPreference, $ConfirmPreference)
    while ($answer.Pending) {
        $answer = $Run.LookAgain()
    }
    if ($answer.Failed) {
        $Run.ClosePlan()
        Add-ResetAnswer $Run (Complete-UmAnswer $answer $InputObject)
        return
    }
    if (-not $answer.Silent) {
        Write-ResetRemark $Run $answer $InputObject
    }

    $go = $false
    $go = Request-UmConfirmation $Run.Cmdlet $Run.Sentence
    if ($go) {
        if ($Run.Parallel) {
            Submit-ResetPlan $Run $InputObject
        }
        else {
            do {
                $answer = $Run.Commit()
            } while ($answer.Pending)
            if (-not $answer.Silent) {
                Write-ResetAnswer $Run (Complete-UmAnswer $answer $InputObject)
            }
        }
    }
    $Run.ClosePlan()
}

# Adds to an answer of the library what belongs to the caller.
function Complete-UmAnswer {
    param($Answer, $TargetObject)

    $Answer.TargetObject = $TargetObject
    if ($Answer.Failed) {
        $Answer.Failure = ConvertTo-UmErrorRecord $Answer $TargetObject
    }
    $Answer
}

# Advice is given with the first item, so that an empty pipeline says nothing.
function Write-ResetStart {
    param($Run)

    foreach ($advice in $Run.Advice) {
        Write-UmWarning $Run $advice
    }
    if ($Run.Progress.Shown) {
        Write-UmProgress $Run
    }
}

# What the look-up of a mailbox gave beside the mailbox.
function Write-ResetRemark {
    param($Run, $Answer, $TargetObject)

    Write-UmDiagnostic $Run.Cmdlet $Answer.Diagnostics
    if ($Answer.HasWarnings) {
        Write-ResetWarning $Run $Answer.Value['warnings'] $TargetObject
    }
}

# Silence, or the object asked for; then warnings; a PIN that was changed without its message arriving is an error.
# The object comes first: under -ErrorAction Stop the caller must still get a PIN that was generated.
function Write-ResetAnswer {
    param($Run, $Answer)

    Write-UmDiagnostic $Run.Cmdlet $Answer.Diagnostics
    if ($null -ne $Answer.Failure) {
        Write-UmError $Run $Answer.Failure
        return
    }
    if ($Run.PassThru) {
        $result = New-ResetResult $Answer
        $Run.Writing = $true
        $Run.Cmdlet.WriteObject($result)
        $Run.Writing = $false
    }
    if ($Answer.HasWarnings) {
        Write-ResetWarning $Run $Answer.Value['warnings'] $Answer.TargetObject
    }
}

function Write-ResetWarning {
    param($Run, $Warnings, $TargetObject)

    foreach ($warning in $Warnings) {
        switch ($warning['id']) {
            'NotificationFailed' {
                Write-UmError $Run (New-UmErrorRecord -Id $_ -Message $warning['message'] -TargetObject $TargetObject `
                        -RecommendedAction ([string] $warning['recommendedAction']))
            }
            # Write-ResetStart has said it.
            'NotifyEmailIgnored' { }
            # True of the store and not of the mailbox: once per pipeline.
            'PickupPilesUp' { Write-UmWarning $Run ('{0} {1}' -f $warning['message'], $warning['recommendedAction']) -Key $_ }
            default { Write-UmWarning $Run ('{0} {1}' -f $warning['message'], $warning['recommendedAction']).TrimEnd() }
        }
    }
}

function New-ResetResult {
    param($Answer)

    $value = $Answer.Value
    [pscustomobject] @{
        PSTypeName         = 'UMMailboxPin.ResetResult'
        Identity           = $value['identity']
        PrimarySmtpAddress = $value['primarySmtpAddress']
        PinExpired         = $value['pinExpired']
        LockedOut          = $value['lockedOut']
        Pin                = $Answer.Pin
        PinGenerated       = $value['pinGenerated']
        Notification       = $value['notification']
        Recipient          = $value['recipient']
        DisplayName        = $value['displayName']
        DistinguishedName  = $value['distinguishedName']
        Guid               = [guid] $value['guid']
    }
}
