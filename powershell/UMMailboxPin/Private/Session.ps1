# The one open session of this runspace. It is reopened when the configuration or the places it names have changed. One that cannot
# be opened ends the command, unless a failure is allowed.
function Get-UmConnection {
    param($Runtime, [switch] $AllowFailure)

    $before = $script:Connection
    if ($null -eq $before) {
        # Here and not at import, which it would make a quarter slower. PowerShell goes on with an assembly of this name that is
        # loaded already, whatever file it came from.
        $stale = [UMMailboxPin.Library]::CheckAssembly($PSScriptRoot, $script:ModuleVersion)
        if ($null -ne $stale) {
            $Runtime.Terminate($Runtime.NewError('NativeLibraryMismatch', $stale, 'Open a new PowerShell session.', $PSScriptRoot))
        }
    }
    $script:Connection = [UMMailboxPin.Connection]::Open($before, $Runtime, $script:ModuleVersion)
    if ($null -eq $before) {
        $ExecutionContext.SessionState.Module.OnRemove = { Close-UmSession }
    }
    $answer = $script:Connection.Answer
    if ($answer.Failed -and -not $AllowFailure) {
        $Runtime.Terminate($answer, $answer.TargetObject)
    }
    $script:Connection
}

# Opens the session and makes sure that there is a usable directory behind it, so that what would fail for every item fails once.
function Open-UmDirectory {
    param($Runtime)

    $connection = Get-UmConnection $Runtime
    $answer = $connection.AskStatus($Runtime)
    if ($answer.Failed) {
        $Runtime.Terminate($answer, $null)
    }
    $connection.WriteWarnings($Runtime)
    $connection
}

function Close-UmSession {
    if ($null -ne $script:Connection) {
        $script:Connection.Close()
    }
}
