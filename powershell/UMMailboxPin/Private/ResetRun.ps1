# The state of one Set-UMMailboxPIN pipeline, and what happens to each of its items. The functions that write are called from
# Set-UMMailboxPIN, so they see the preferences that it took from its caller.
function New-ResetRun {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [System.Collections.IDictionary] $Bound)

    $request = [UMMailboxPin.Parameters]::ResetRequest($Cmdlet.MyInvocation.MyCommand.Name, $Bound)
    $directory = Open-UmDirectory $Cmdlet
    @{
        Cmdlet    = $Cmdlet
        Session   = $directory.Session
        Directory = $directory.Directory
        Request   = $request
        Pin       = if ($Bound.ContainsKey('Pin')) { [string] $Bound['Pin'] } else { '' }
        SendEmail = -not $Bound.ContainsKey('SendEmail') -or [bool] $Bound['SendEmail']
        PassThru  = $Bound.ContainsKey('PassThru') -and [bool] $Bound['PassThru']
        Threads   = if ($Bound.ContainsKey('ThrottleLimit')) { [uint32] $Bound['ThrottleLimit'] } else { [uint32] 0 }
        Warned    = @{}
        Plan      = $null
        Writing   = $false
        Batch     = $null
        Queue     = [System.Collections.Queue]::new()
        Progress  = New-UmProgress $Cmdlet 'Resetting Unified Messaging PINs'
    }
}

# What the parameters themselves have that surprises: said once, with the first item, so that an empty pipeline says nothing.
function Write-ResetAdvice {
    param([hashtable] $Run)

    if (-not $Run.SendEmail) {
        if ($Run.Request.ContainsKey('notifyEmail')) {
            Write-UmWarning $Run '-NotifyEmail has no effect together with -SendEmail $false: nothing is mailed.'
        }
        if (-not $Run.Pin -and -not $Run.PassThru -and -not $Run.Request.ContainsKey('keepPin')) {
            Write-UmWarning $Run ('With -SendEmail $false and without -Pin a PIN is generated that nobody gets to know. ' +
                'Use -PassThru to receive it, or -KeepPin to lock or unlock without a new PIN.')
        }
    }
    if ($Run.Request.ContainsKey('domainController') -and $Run.Directory -eq 'embedded') {
        Write-UmWarning $Run 'The embedded directory has no domain controllers: -DomainController is ignored.'
    }
}

# Looks one mailbox up, asks, and resets it or hands it to the batch.
function Invoke-ResetItem {
    param([hashtable] $Run, [object] $InputObject, [bool] $WhatIf, [bool] $WillAsk)

    $go = $false
    $target = $null
    Write-ResetAdvice $Run
    $identity = Get-IdentityText $InputObject
    if (-not $identity) {
        $record = New-UmErrorRecord -Id 'InvalidIdentity' -TargetObject $InputObject `
            -Message 'The value of -Identity is empty or has no property that names a mailbox.' `
            -RecommendedAction 'Pass a GUID, DN, canonical name, DOMAIN\account, UPN, e-mail address, alias or name.'
        Add-ResetAnswer $Run @{ Failure = $record; Diagnostics = @() }
        return
    }

    $answer = New-ResetPlan $Run $identity $InputObject $WhatIf ($WhatIf -or $WillAsk)
    if ($null -ne $answer.Failure) {
        Close-ResetPlan $Run
        Add-ResetAnswer $Run $answer
        return
    }

    $target = $answer.Value
    Write-UmDiagnostic $Run.Cmdlet $answer.Diagnostics
    if ($answer.HasWarnings) {
        Write-ResetWarning $Run $target['warnings'] $InputObject
    }

    $go = Confirm-UmChange -Cmdlet $Run.Cmdlet -Sentence ([UMMailboxPin.ResetTarget]::Describe($target, $Run.SendEmail))
    if ($go) {
        if ($Run.Threads -gt 0) {
            Submit-ResetPlan $Run $InputObject
        }
        else {
            Write-ResetAnswer $Run (Complete-ResetPlan -Plan $Run.Plan -TargetObject $InputObject)
        }
    }
    Close-ResetPlan $Run
}

function Close-ResetPlan {
    param([hashtable] $Run)

    if ($null -ne $Run.Plan) {
        $Run.Plan.Dispose()
        $Run.Plan = $null
    }
}

# Silence, or the object asked for; then warnings; a PIN that was changed without its message arriving is an error.
# The object comes first: under -ErrorAction Stop the caller must still get a PIN that was generated.
function Write-ResetAnswer {
    param([hashtable] $Run, [object] $Answer)

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
    param([hashtable] $Run, [object[]] $Warnings, [object] $TargetObject)

    foreach ($warning in $Warnings) {
        switch ($warning['id']) {
            'NotificationFailed' {
                Write-UmError $Run (New-UmErrorRecord -Id $_ -Message $warning['message'] -TargetObject $TargetObject `
                        -RecommendedAction ([string] $warning['recommendedAction']))
            }
            # Write-ResetAdvice has said it.
            'NotifyEmailIgnored' { }
            # True of the store and not of the mailbox: once per pipeline.
            'PickupPilesUp' { Write-UmWarning $Run ('{0} {1}' -f $warning['message'], $warning['recommendedAction']) -Key $_ }
            default { Write-UmWarning $Run ('{0} {1}' -f $warning['message'], $warning['recommendedAction']).TrimEnd() }
        }
    }
}

function New-ResetResult {
    param([UMMailboxPin.Answer] $Answer)

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
