# The one open session of this runspace. It is reopened when the configuration or the places it names have changed.
$script:Session = $null

function Get-UmSession {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    Assert-NativeLibrary $Cmdlet
    $configuration = Resolve-UmConfiguration $Cmdlet
    $stamp = ''
    $request = [ordered] @{ dataDirectory = $configuration.DataDirectory }
    if ($configuration.ConfigFile) {
        $request['configFile'] = $configuration.ConfigFile
        $file = [System.IO.FileInfo]::new($configuration.ConfigFile)
        $stamp = '{0}/{1}' -f $file.LastWriteTimeUtc.Ticks, $(if ($file.Exists) { $file.Length } else { 0 })
    }
    $key = $configuration.DataDirectory, $configuration.ConfigFile, $stamp -join "`n"

    if ($null -ne $script:Session -and $script:Session.Key -ceq $key -and -not $script:Session.Handle.IsClosed) {
        return $script:Session.Handle
    }

    Close-UmSession
    $request['caller'] = '{0}\{1}' -f [Environment]::UserDomainName, [Environment]::UserName
    $request['application'] = "UMMailboxPin/$script:ModuleVersion"
    $handle = $null
    $failure = ''
    $status = [UMMailboxPin.Native]::OpenSession((ConvertTo-UmJson $request), [ref] $handle, [ref] $failure)
    if ($status -ne [UMMailboxPin.Native]::Ok) {
        $Cmdlet.ThrowTerminatingError((ConvertTo-UmErrorRecord -Status $status -Json $failure -TargetObject $configuration.ConfigFile))
    }
    $script:Session = @{ Key = $key; Handle = $handle }
    $handle
}

# Opens the session and makes sure that there is a usable directory behind it, so that what would fail for every item fails once.
function Open-UmDirectory {
    param([System.Management.Automation.PSCmdlet] $Cmdlet)

    $session = Get-UmSession $Cmdlet
    $answer = Invoke-UmRequest -Session $session -Request @{ operation = 'status' }
    if ($null -ne $answer.Failure) {
        $Cmdlet.ThrowTerminatingError($answer.Failure)
    }
    $kind = Get-UmMember $answer.Value 'directory'
    @{ Session = $session; Directory = if ($kind) { $kind } else { 'embedded' }; Location = $answer.Value.location }
}

function Close-UmSession {
    if ($null -ne $script:Session) {
        $script:Session.Handle.Dispose()
        $script:Session = $null
    }
}
