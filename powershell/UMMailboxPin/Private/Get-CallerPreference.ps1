# A module's function does not see the preference variables of the script or module that calls it: without this,
# $WhatIfPreference = $true in a script would be ignored and the reset would happen. The public functions assign what this
# returns to variables of their own. (Set-Variable would not do: it supports -WhatIf itself.)
function Get-CallerPreference {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    $variables = $Cmdlet.SessionState.PSVariable
    $preferences = @{}
    foreach ($name in [UMMailboxPin.Parameters]::UnboundPreferences($Cmdlet.MyInvocation.BoundParameters)) {
        $value = $variables.GetValue($name)
        if ($null -ne $value) {
            $preferences[$name] = $value
        }
    }
    $preferences
}
