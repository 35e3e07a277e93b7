# A module's function does not see the preference variables of the script or module that calls it: without this,
# $WhatIfPreference = $true in a script would be ignored and the reset would happen. The public functions assign what this
# returns to variables of their own. (Set-Variable would not do: it supports -WhatIf itself.)
$script:CommonPreferences = @{
    WhatIfPreference      = 'WhatIf'
    ConfirmPreference     = 'Confirm'
    VerbosePreference     = 'Verbose'
    DebugPreference       = 'Debug'
    WarningPreference     = 'WarningAction'
    InformationPreference = 'InformationAction'
    ErrorActionPreference = 'ErrorAction'
    ProgressPreference    = 'ProgressAction'
}

function Get-CallerPreference {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    $bound = $Cmdlet.MyInvocation.BoundParameters
    $preferences = @{}
    foreach ($name in $script:CommonPreferences.Keys) {
        if (-not $bound.ContainsKey($script:CommonPreferences[$name])) {
            $value = $Cmdlet.SessionState.PSVariable.GetValue($name)
            if ($null -ne $value) {
                $preferences[$name] = $value
            }
        }
    }
    $preferences
}
