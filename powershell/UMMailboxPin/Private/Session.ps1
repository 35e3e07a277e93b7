# The one open session of this runspace. It is reopened when the configuration or the places it names have changed.
function Get-UmSession {
    param($Cmdlet)

    $before = $script:Connection
    if ($null -eq $before) {
        # Here and not at import, which it would make a quarter slower. PowerShell goes on with an assembly of this name that is
        # loaded already, whatever file it came from.
        $stale = [UMMailboxPin.Library]::CheckAssembly($script:InteropPath, $script:ModuleVersion)
        if ($null -ne $stale) {
            $Cmdlet.ThrowTerminatingError((New-StaleAssemblyError $stale))
        }
    }
    $folder = $Cmdlet.CurrentProviderLocation('FileSystem').ProviderPath
    $script:Connection = [UMMailboxPin.Connection]::Open($before, $folder, $script:ModuleVersion)
    if ($null -eq $before) {
        $ExecutionContext.SessionState.Module.OnRemove = { Close-UmSession }
    }
    if ($script:Connection.Answer.Failed) {
        $answer = $script:Connection.Answer
        $Cmdlet.ThrowTerminatingError((ConvertTo-UmErrorRecord $answer $answer.TargetObject))
    }
    $script:Connection.Session
}

# Opens the session and makes sure that there is a usable directory behind it, so that what would fail for every item fails once.
function Open-UmDirectory {
    param($Cmdlet)

    $session = Get-UmSession $Cmdlet
    $answer = Invoke-UmRequest $session @{ operation = 'status' }
    if ($null -ne $answer.Failure) {
        $Cmdlet.ThrowTerminatingError($answer.Failure)
    }
    @{ Session = $session; Directory = $answer.Value['directory'] }
}

function Close-UmSession {
    if ($null -ne $script:Connection) {
        $script:Connection.Close()
    }
}
