# Writes what Get-UMMailboxPIN found.
function Write-PinInfo {
    param($Run, [hashtable] $Page, [bool] $AsWarning)

    Write-UmDiagnostic $Run.Cmdlet $Page.Diagnostics
    if ($null -ne $Page.Failure) {
        Write-PinInfoFailure $Run $Page.Failure $AsWarning
        return
    }
    foreach ($warning in $Page.Warnings) {
        Write-UmWarning $Run ('{0} {1}' -f $warning['message'], $warning['recommendedAction']).TrimEnd()
    }
    foreach ($item in $Page.Items) {
        $failure = $item['error']
        if ($null -ne $failure) {
            Write-PinInfoFailure $Run (ConvertFrom-UmError -Failure $failure -TargetObject $item['identity']) $AsWarning
            continue
        }
        $Run.Cmdlet.WriteObject([pscustomobject] @{
                PSTypeName        = 'UMMailboxPin.UMMailboxPin'
                UserID            = [string] $item['userId']
                UserObjectId      = $item['userObjectId']
                Identity          = $item['identity']
                PinExpired        = $item['pinExpired']
                LockedOut         = $item['lockedOut']
                FirstTimeUser     = $item['firstTimeUser']
                ObjectState       = 'Unchanged'
                IsValid           = $item['isValid']
                LastSet           = ConvertFrom-UmTime $item['lastSet']
                ExpiresOn         = ConvertFrom-UmTime $item['expiresOn']
                FailedAttempts    = $item['failedAttempts']
                LastFailedAttempt = ConvertFrom-UmTime $item['lastFailedAttempt']
                LockedSince       = ConvertFrom-UmTime $item['lockedSince']
            })
    }
}

function Write-PinInfoFailure {
    param($Run, [System.Management.Automation.ErrorRecord] $Failure, [bool] $AsWarning)

    if ($AsWarning) {
        $Run.Cmdlet.WriteWarning($Failure.Exception.Message)
    }
    else {
        Write-UmError $Run $Failure
    }
}
