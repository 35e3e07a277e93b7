# One attempt to sign in, and what Test-UMMailboxPIN writes about it.
function Invoke-UmSignIn {
    param($Session, $Request, $Pin, $TargetObject)

    $answer = [UMMailboxPin.Native]::SignIn($Session, $Request, $Pin)
    if (-not $answer.Failed) {
        $answer = Wait-UmRequest $answer.Handle
    }
    if ($answer.Failed) {
        $answer.Failure = ConvertTo-UmErrorRecord $answer $TargetObject
    }
    $answer
}

function Write-SignInResult {
    param($Run, $Answer)

    Write-UmDiagnostic $Run.Cmdlet $Answer.Diagnostics
    if ($null -ne $Answer.Failure) {
        Write-UmError $Run $Answer.Failure
        return
    }
    $value = $Answer.Value
    $outcome = [string] $value['outcome']
    $Run.Cmdlet.WriteObject([pscustomobject] @{
            PSTypeName         = 'UMMailboxPin.SignInResult'
            Identity           = $value['identity']
            PrimarySmtpAddress = $value['primarySmtpAddress']
            Outcome            = $outcome.Substring(0, 1).ToUpperInvariant() + $outcome.Substring(1)
            AttemptsUntilReset = $value['attemptsUntilReset']
            AttemptsUntilLock  = $value['attemptsUntilLock']
            FirstTimeUser      = $value['firstTimeUser']
            PinExpiresOn       = ConvertFrom-UmTime $value['pinExpiresOn']
            Notification       = $value['notification']
            DisplayName        = $value['displayName']
            DistinguishedName  = $value['distinguishedName']
            Guid               = [guid] $value['guid']
        })
}
