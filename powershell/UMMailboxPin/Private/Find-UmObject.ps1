# Looks an object up by whatever was given to -Identity.
# In the shape of a page of one: @{ Items; Failure; Diagnostics; Warnings }.
function Find-UmObject {
    param([UMMailboxPin.SessionHandle] $Session, [hashtable] $Request, [object] $InputObject)

    $identity = Get-IdentityText $InputObject
    if (-not $identity) {
        $failure = New-UmErrorRecord -Id 'InvalidIdentity' -TargetObject $InputObject `
            -Message 'The value of -Identity is empty or has no property that names an object.' `
            -RecommendedAction 'Pass a GUID, DN, canonical name, DOMAIN\account, UPN, e-mail address, alias or name.'
        return @{ Items = @(); Failure = $failure; Diagnostics = @(); Warnings = $null }
    }

    $one = $Request.Clone()
    $one['identity'] = $identity
    $answer = Invoke-UmRequest -Session $Session -Request $one -TargetObject $InputObject
    $items = @()
    $warnings = $null
    if ($null -eq $answer.Failure) {
        $items = @($answer.Value['items'])
        $warnings = $answer.Value['warnings']
    }
    @{ Items = $items; Failure = $answer.Failure; Diagnostics = $answer.Diagnostics; Warnings = $warnings }
}
