# The differences between a script function and a compiled cmdlet that the module closes.
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe 'Preferences of the caller' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It '$WhatIfPreference of a script file prevents the reset' {
        $run = Invoke-Fresh -Store $script:Store {
            $WhatIfPreference = $true
            Set-UMMailboxPIN tonysmith
            $WhatIfPreference = $false
        }
        $run.Text | Should -Match '^What if: '
        Get-MessageCount $script:Store | Should -Be 0
    }

    It '$WhatIfPreference of another module prevents the reset' {
        $run = Invoke-Fresh -Store $script:Store {
            New-Module -Name Caller { function Invoke-Caller { $WhatIfPreference = $true; Set-UMMailboxPIN tonysmith } } | Import-Module
            Invoke-Caller
        }
        $run.Text | Should -Match '^What if: '
        Get-MessageCount $script:Store | Should -Be 0
    }

    It '-WhatIf of an advanced function prevents the reset' {
        $run = Invoke-Fresh -Store $script:Store {
            function Invoke-Caller { [CmdletBinding(SupportsShouldProcess)] param() Set-UMMailboxPIN tonysmith }
            Invoke-Caller -WhatIf
        }
        $run.Text | Should -Match '^What if: '
        Get-MessageCount $script:Store | Should -Be 0
    }

    It '$WhatIfPreference set for the whole session prevents the reset' {
        $run = Invoke-Fresh -Store $script:Store { $global:WhatIfPreference = $true; Set-UMMailboxPIN tonysmith; $global:WhatIfPreference = $false }
        $run.Text | Should -Match '^What if: '
        Get-MessageCount $script:Store | Should -Be 0
    }

    # Embedded: nothing is imported into Active Directory.
    It '$WhatIfPreference set for the whole session prevents the import' -Tag Embedded {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ File = Get-Fixture 'contoso.csv' } {
            $global:WhatIfPreference = $true
            Import-UMDirectory $V.File
            $global:WhatIfPreference = $false
        }
        $run.Text | Should -Match '^What if: '
    }

    It '$WhatIfPreference typed in an interactive session prevents the reset' {
        # The session's own lines come from its standard input, as they would from a keyboard.
        $run = Invoke-Fresh -Store $script:Store {
            $session = @('$WhatIfPreference = $true', 'Set-UMMailboxPIN tonysmith', 'exit') -join [Environment]::NewLine
            $session | & (Get-Process -Id $PID).Path -NoProfile -Command - | Out-String
        }
        $run.Output[0] | Should -Match 'What if: '
        Get-MessageCount $script:Store | Should -Be 0
    }

    It '-WhatIf:$false wins over $WhatIfPreference' {
        $run = Invoke-Fresh -Store $script:Store { $WhatIfPreference = $true; Set-UMMailboxPIN tonysmith -WhatIf:$false }
        $run.All | Should -BeNullOrEmpty
        Get-MessageCount $script:Store | Should -Be 1
    }

    It '$ErrorActionPreference = Stop of a script file stops it' {
        $run = Invoke-Fresh -Store $script:Store {
            $ErrorActionPreference = 'Stop'
            try { 'nobody', 'tonysmith' | Set-UMMailboxPIN; 'went on' } catch { $_.FullyQualifiedErrorId }
        }
        $run.Output | Should -Be @('ManagementObjectNotFound,Set-UMMailboxPIN')
        Get-MessageCount $script:Store | Should -Be 0
    }

    It '$ErrorActionPreference = SilentlyContinue of a script file silences it, and -ErrorAction wins over it' {
        $run = Invoke-Fresh -Store $script:Store {
            $ErrorActionPreference = 'SilentlyContinue'
            Set-UMMailboxPIN nobody
            try { Set-UMMailboxPIN nobody -ErrorAction Stop } catch { 'stopped' }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('stopped')
    }

    It '$VerbosePreference and $WarningPreference of a script file count' {
        $run = Invoke-Fresh -Store $script:Store {
            $VerbosePreference = 'Continue'
            $WarningPreference = 'SilentlyContinue'
            Set-UMMailboxPIN tonysmith -SendEmail $false
        }
        $run.Text | Should -Match 'VERBOSE: '
        $run.Text | Should -Not -Match 'WARNING: '
    }

    It '$ConfirmPreference of a script file makes it ask' {
        $run = Invoke-Fresh -Store $script:Store -Answers "N`n" { $ConfirmPreference = 'Medium'; Set-UMMailboxPIN tonysmith }
        $run.All | Should -Match 'Are you sure'
        Get-MessageCount $script:Store | Should -Be 0
    }

    It 'are not left behind in the module' {
        $run = Invoke-Fresh -Store $script:Store {
            $WhatIfPreference = $true
            Set-UMMailboxPIN tonysmith
            $WhatIfPreference = $false
            Set-UMMailboxPIN tonysmith
        }
        Get-MessageCount $script:Store | Should -Be 1
        $run.ErrorText | Should -BeNullOrEmpty
    }

    It '$PSDefaultParameterValues of the caller reach the cmdlet but not what it calls' {
        $run = Invoke-Fresh -Store $script:Store {
            $global:PSDefaultParameterValues = @{
                'Set-UMMailboxPIN:SendEmail' = $false; 'Set-UMMailboxPIN:Pin' = '739155'
                'ConvertTo-Json:Depth' = 0; 'ConvertFrom-Json:AsHashtable' = $true; 'Get-Command:Name' = 'none'
            }
            Set-UMMailboxPIN tonysmith -PassThru | Select-Object PinGenerated, Notification
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output[0].PinGenerated | Should -BeFalse
        Get-MessageCount $script:Store | Should -Be 0
    }
}

Describe 'One failure' {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'is one entry in $Error and in -ErrorVariable, and $? is false' {
        $run = Invoke-Fresh -Store $script:Store {
            $Error.Clear()
            Set-UMMailboxPIN nobody -ErrorAction SilentlyContinue -ErrorVariable problem
            $?
            $Error.Count
            @($problem).Count
        }
        $run.Output | Should -Be @($false, 1, 1)
    }

    It 'is no entry in $Error with -ErrorAction Ignore' {
        $run = Invoke-Fresh -Store $script:Store {
            $Error.Clear()
            Set-UMMailboxPIN nobody -ErrorAction Ignore
            $Error.Count
        }
        $run.Output | Should -Be @(0)
    }

    It 'is one entry in $Error with -ErrorAction Stop' {
        $run = Invoke-Fresh -Store $script:Store {
            $Error.Clear()
            try { Set-UMMailboxPIN nobody -ErrorAction Stop } catch { $_.CategoryInfo.Reason }
            $Error.Count
        }
        $run.Output | Should -Be @('ManagementObjectNotFoundException', 1)
    }

    It 'can be caught by its class' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin
            try { Set-UMMailboxPIN nobody -ErrorAction Stop } catch [UMMailboxPin.ManagementObjectNotFoundException] { 'caught' }
        }
        $run.Output | Should -Be @('caught')
    }

    It 'leaves no internal exception in $Error after success' {
        $run = Invoke-Fresh -Store $script:Store {
            $Error.Clear()
            Set-UMMailboxPIN tonysmith
            $?
            Get-Mailbox tonysmith | Out-Null
            Get-UMMailboxPIN tonysmith | Out-Null
            $Error.Count
        }
        $run.Output | Should -Be @($true, 0)
    }

    It 'does not stop the mailboxes after it' {
        $before = Get-MessageCount $script:Store
        $run = Invoke-Fresh -Store $script:Store {
            'tonysmith', 'nobody', 'amyalberts' | Set-UMMailboxPIN -ErrorAction SilentlyContinue
        }
        (Get-MessageCount $script:Store) - $before | Should -Be 2
    }
}
