# The one open session of this runspace. It is reopened when the configuration or the places it names have changed.
function Get-UmSession {
    param($Cmdlet)

    $before = $script:Connection
    if ($null -eq $before) {
        # Here and not at import, which it would make a quarter slower. PowerShell goes on with an assembly of this name that is
        # loaded already, whatever file it came from.
        $stale = [UMMailboxPin.Library]::CheckAssembly($PSScriptRoot, $script:ModuleVersion)
        if ($null -ne $stale) {
            $Cmdlet.ThrowTerminatingError((New-StaleAssemblyError $stale))
        }
    }
    $folder = $Cmdlet.CurrentProviderLocation('FileSystem').ProviderPath
    $script:Connection = [UMMailboxPin.Connection]::Open($before, $folder, $script:ModuleVersion)
    if ($null -eq $before) {
        $ExecutionContext.SessionState.Module.OnRemove = { Close-UmSession }
    }
    $answer = $script:Connection.Answer
    if ($answer.Failed) {
        $Cmdlet.ThrowTerminatingError((ConvertTo-UmErrorRecord $answer $answer.TargetObject))
    }
    $script:Connection.Session
}

# Opens the session and makes sure that there is a usable directory behind it, so that what would fail for every item fails once.
# Gives the connection, with its Session and what kind of Directory it is.
function Open-UmDirectory {
    param($Cmdlet)

    $null = Get-UmSession $Cmdlet
    $connection = $script:Connection
    $answer = $connection.AskStatus()
    if ($answer.Pending) {
        $answer = $connection.Status = Wait-UmRequest $answer.Handle
    }
    if ($answer.Failed) {
        $Cmdlet.ThrowTerminatingError((ConvertTo-UmErrorRecord $answer $null))
    }
    $connection
}

function Close-UmSession {
    if ($null -ne $script:Connection) {
        $script:Connection.Close()
    }
}
