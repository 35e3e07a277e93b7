# The one open session of this runspace. It is reopened when the configuration or the places it names have changed.
function Get-UmSession {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    if (-not $script:NativeLibraryChecked) {
        Assert-NativeLibrary $Cmdlet
    }
    $places = [UMMailboxPin.Places]::Find($Cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath)
    $session = $script:Session
    if ($null -ne $session -and $session.Key -ceq $places.Key -and -not $session.Handle.IsClosed) {
        return $session.Handle
    }

    Close-UmSession
    if ($places.ConfigMissing) {
        $Cmdlet.ThrowTerminatingError((New-UmErrorRecord -Id 'ConfigurationInvalid' -TargetObject $places.ConfigFile `
                    -Message "The environment variable UMPIN_CONFIG names '$($places.ConfigFile)', which does not exist." `
                    -RecommendedAction 'Correct or remove the environment variable UMPIN_CONFIG.'))
    }
    $answer = [UMMailboxPin.Native]::OpenSession($places, "UMMailboxPin/$script:ModuleVersion")
    if ($answer.Failed) {
        $Cmdlet.ThrowTerminatingError((ConvertTo-UmErrorRecord $answer $places.ConfigFile))
    }
    $script:Session = @{ Key = $places.Key; Handle = $answer.Handle }
    $ExecutionContext.SessionState.Module.OnRemove = { Close-UmSession }
    $answer.Handle
}

# Opens the session and makes sure that there is a usable directory behind it, so that what would fail for every item fails once.
function Open-UmDirectory {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    $session = Get-UmSession $Cmdlet
    $answer = Invoke-UmRequest $session @{ operation = 'status' }
    if ($null -ne $answer.Failure) {
        $Cmdlet.ThrowTerminatingError($answer.Failure)
    }
    $kind = $answer.Value['directory']
    @{ Session = $session; Directory = if ($kind) { $kind } else { 'embedded' }; Location = $answer.Value['location'] }
}

function Close-UmSession {
    if ($null -ne $script:Session) {
        $script:Session.Handle.Dispose()
        $script:Session = $null
    }
}
