# A module's function does not see the preference variables of the script or module that calls it: without this,
# $WhatIfPreference = $true in a script would be ignored and the reset would happen. The public functions assign what this
# returns to variables of their own. (Set-Variable would not do: it supports -WhatIf itself.)
function Get-CallerPreference {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    $bound = $Cmdlet.MyInvocation.BoundParameters
    $variables = $Cmdlet.SessionState.PSVariable
    $preferences = @{}
    foreach ($name in 'WhatIf', 'Confirm', 'Verbose', 'Debug', 'Warning', 'Information', 'ErrorAction', 'Progress') {
        $parameter = if ($name -in 'Warning', 'Information', 'Progress') { $name + 'Action' } else { $name }
        if (-not $bound.ContainsKey($parameter)) {
            $value = $variables.GetValue($name + 'Preference')
            if ($null -ne $value) {
                $preferences[$name + 'Preference'] = $value
            }
        }
    }
    $preferences
}
