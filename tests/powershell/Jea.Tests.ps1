BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
    # A session as an endpoint for help desks would open it: no language, the modules' commands and nothing else.
    $script:Run = Invoke-Fresh -Store $script:Store {
        $file = "$Work/helpdesk.pssc"
        New-PSSessionConfigurationFile -Path $file -SessionType RestrictedRemoteServer -LanguageMode NoLanguage `
            -ModulesToImport UMMailboxPin, UMMailboxPin.Directory -VisibleFunctions '*-UM*', 'Get-Mailbox'
        $state = [initialsessionstate]::CreateFromSessionConfigurationFile($file)
        $identity = New-Object System.Management.Automation.Remoting.PSIdentity 'Kerberos', $true, 'CONTOSO\helpdesk1', $null
        $principal = New-Object System.Management.Automation.Remoting.PSPrincipal $identity, $null
        $sender = New-Object System.Management.Automation.Remoting.PSSenderInfo $principal, 'http://localhost/wsman'
        $state.Variables.Add((New-Object System.Management.Automation.Runspaces.SessionStateVariableEntry 'PSSenderInfo', $sender, '', 'ReadOnly'))
        $runspace = [runspacefactory]::CreateRunspace($state)
        $runspace.Open()
        foreach ($call in @(
                , @('Get-Mailbox', @{ Identity = 'tonysmith' })
                , @('Get-Mailbox', @{})
                , @('Get-UMMailbox', @{})
                , @('Get-UMMailboxPolicy', @{})
                , @('Get-UMMailboxPIN', @{ ResultSize = 'Unlimited' })
                , @('Set-UMMailboxPIN', @{ Identity = 'tonysmith'; Pin = '739155'; PinExpired = $false; PassThru = $true })
                , @('Set-UMMailboxPIN', @{ Identity = 'amyalberts'; ThrottleLimit = 2; PassThru = $true })
                , @('Test-UMMailboxPIN', @{ Identity = 'tonysmith'; Pin = '739155' })
                , @('Lock-UMMailbox', @{ Identity = 'tonysmith'; PassThru = $true })
                , @('Unlock-UMMailbox', @{ Identity = 'tonysmith'; PassThru = $true })
                , @('Get-UMPinNotification', @{})
                , @('Send-UMPinNotification', @{})
                , @('Get-UMPinAudit', @{ Caller = 'CONTOSO\helpdesk1' })
                , @('Set-UMMailboxPIN', @{ Identity = 'tonysmith'; Confirm = $true }))) {
            $shell = [powershell]::Create()
            $shell.Runspace = $runspace
            $null = $shell.AddCommand($call[0]).AddParameters($call[1])
            $objects = @()
            $thrown = ''
            try { $objects = @($shell.Invoke()) } catch { $thrown = $_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId }
            [pscustomobject] @{
                Command = $call[0]; Objects = $objects; Thrown = $thrown
                Errors = @($shell.Streams.Error | ForEach-Object { "$($_.FullyQualifiedErrorId): $_" })
            }
        }
        [Environment]::UserDomainName + '\' + [Environment]::UserName
    }
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'A restricted session (JEA)' {
    It 'carries every command out' {
        $script:Run.ErrorText | Should -BeNullOrEmpty
        $calls = @($script:Run.Output | Select-Object -First 13)
        ($calls.Errors | Where-Object { $_ }) -join '; ' | Should -BeNullOrEmpty
        ($calls.Thrown | Where-Object { $_ }) -join '; ' | Should -BeNullOrEmpty
        foreach ($call in $calls | Where-Object { $_.Command -notlike '*Notification' }) {
            @($call.Objects).Count | Should -BeGreaterThan 0 -Because $call.Command
        }
        $calls[0].Objects[0].Alias | Should -Be 'tonysmith'
        $calls[7].Objects[0].Outcome | Should -Be 'Accepted'
    }

    It 'names the connected user in the audit, and the account that the session runs as' {
        $entries = @($script:Run.Output[12].Objects)
        @($entries.Action | Sort-Object -Unique) | Should -Be @('Lock', 'Reset', 'Unlock')
        @($entries.Caller | Sort-Object -Unique) | Should -Be @('CONTOSO\helpdesk1')
        @($entries.RunAs | Sort-Object -Unique) | Should -Be @($script:Run.Output[-1])
    }

    It 'cannot ask, and says so before anything is changed' {
        $script:Run.Output[13].Thrown | Should -Be 'ConfirmationImpossible,Set-UMMailboxPIN'
    }
}

Describe 'The endpoint for a help desk in docs/administration.md' {
    It 'resets by generated PINs, and takes no PIN from the help desk' -Tag Embedded {
        . "$PSScriptRoot/Support/Markdown.ps1"
        $block = @(Get-FencedBlock "$PSScriptRoot/../../docs/administration.md" | Where-Object { $_.Text -like '*New-PSSessionConfigurationFile*' })
        $block.Count | Should -Be 1
        $store = New-TestStore
        try {
            $run = Invoke-Fresh -Store $store -Variables @{ Block = $block[0].Text } {
                Set-Location -LiteralPath $Work
                . ([scriptblock]::Create($V.Block))
                $runspace = [runspacefactory]::CreateRunspace([initialsessionstate]::CreateFromSessionConfigurationFile("$Work/helpdesk.pssc"))
                $runspace.Open()
                foreach ($parameters in @{ Identity = 'tonysmith' }, @{ Identity = 'tonysmith'; Pin = '739155' }, @{ Identity = 'tonysmith'; PassThru = $true }) {
                    $shell = [powershell]::Create()
                    $shell.Runspace = $runspace
                    $null = $shell.AddCommand('Set-UMMailboxPIN').AddParameters($parameters)
                    try { @($shell.Invoke()).Count; @($shell.Streams.Error | ForEach-Object { [string] $_ }) }
                    catch { $_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId }
                }
            }
            $run.ErrorText | Should -BeNullOrEmpty
            $run.Output | Should -Be @(0, 'NamedParameterNotFound,Set-UMMailboxPIN', 'NamedParameterNotFound,Set-UMMailboxPIN')
            Get-MessageCount $store | Should -Be 1
        }
        finally { Remove-TestFolder $store }
    }
}

Describe 'A session of one''s own' {
    It 'names the user once' {
        $store = New-TestStore
        try {
            $run = Invoke-Fresh -Store $store {
                Set-UMMailboxPIN tonysmith -SendEmail $false -WarningAction SilentlyContinue
                $entry = Get-UMPinAudit -Cmdlet Set-UMMailboxPIN
                "$($entry.Caller -eq ([Environment]::UserDomainName + '\' + [Environment]::UserName)) $($null -eq $entry.RunAs)"
            }
            $run.Output | Should -Be @('True True')
        }
        finally { Remove-TestFolder $store }
    }
}
