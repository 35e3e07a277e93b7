function New-PolicyObject {
    param([object] $Item)

    [pscustomobject] @{
        PSTypeName                  = 'UMMailboxPin.UMMailboxPolicy'
        Identity                    = $Item['identity']
        Name                        = $Item['name']
        MinPINLength                = $Item['minPINLength']
        PINLifetime                 = Get-LimitText $Item['pinLifetimeDays']
        PINHistoryCount             = $Item['pinHistoryCount']
        AllowCommonPatterns         = $Item['allowCommonPatterns']
        LogonFailuresBeforePINReset = Get-LimitText $Item['logonFailuresBeforePINReset']
        MaxLogonAttempts            = Get-LimitText $Item['maxLogonAttempts']
        ResetPINText                = $Item['resetPINText']
        DistinguishedName           = $Item['distinguishedName']
        Guid                        = [guid] $Item['guid']
    }
}

function Get-LimitText {
    param([object] $Limit)

    if ($null -eq $Limit) { 'Unlimited' } else { $Limit }
}
