BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe 'Test-UMMailboxPIN' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'tells what the PIN opens, given as text, number or SecureString' {
        $run = Invoke-Fresh -Store $script:Store {
            $set = Set-UMMailboxPIN tonysmith -PassThru
            ($set | Test-UMMailboxPIN -Pin $set.Pin).Outcome
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false
            $result = Test-UMMailboxPIN tonysmith@contoso.com 739155
            "$($result.Outcome) $($result.Identity) $($result.PinExpiresOn.Kind) $($result.AttemptsUntilLock)"
            (Test-UMMailboxPIN tonysmith '739155').Outcome
            (Test-UMMailboxPIN tonysmith 'not a PIN').Outcome
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('ChangeRequired', 'Accepted contoso.com/Sales/Tony Smith Local 15', 'Accepted', 'Rejected')
    }

    It 'counts, resets and mails, and locks' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -SendEmail $false
            1..16 | ForEach-Object { Test-UMMailboxPIN tonysmith 111222 } | ForEach-Object Outcome
            $state = Get-UMMailboxPIN tonysmith
            "$($state.LockedOut) $($state.FailedAttempts) $($state.LockedSince -is [datetime]) $($state.LastFailedAttempt -is [datetime])"
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output -join ' ' | Should -Be (@(
                'Rejected Rejected Rejected Rejected ResetByFailures'
                'Rejected Rejected Rejected Rejected ResetByFailures'
                'Rejected Rejected Rejected Rejected Locked Locked'
                'True 15 True True') -join ' ')
        # Handed over before the cmdlet returned.
        Get-MessageCount $script:Store | Should -Be 2
    }

    It 'refuses -WhatIf, also as a preference, and makes no attempt' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155
            try { Test-UMMailboxPIN tonysmith 111222 -WhatIf } catch { $_.FullyQualifiedErrorId }
            $WhatIfPreference = $true
            try { Test-UMMailboxPIN tonysmith 111222 } catch { $_.FullyQualifiedErrorId }
            (Get-UMMailboxPIN tonysmith).FailedAttempts
        }
        $run.Output | Should -Be @('InvalidParameterCombination,Test-UMMailboxPIN', 'InvalidParameterCombination,Test-UMMailboxPIN', 0)
    }

    It 'asks under -Confirm, and makes no attempt where nobody can be asked' {
        $run = Invoke-Fresh -Store $script:Store -NonInteractive {
            Set-UMMailboxPIN tonysmith -Pin 739155
            Test-UMMailboxPIN tonysmith 111222 -Confirm -ErrorAction SilentlyContinue
            (Get-UMMailboxPIN tonysmith).FailedAttempts
        }
        $run.Output | Should -Be @(0)
    }

    It 'writes one error for each mailbox that cannot be tried, and goes on' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false
            'nobody', 'ryoung', 'tonysmith' | Test-UMMailboxPIN -Pin 739155 -ErrorVariable problem -ErrorAction SilentlyContinue |
                ForEach-Object Outcome
            $problem.FullyQualifiedErrorId
        }
        $run.Output | Should -Be @('Accepted', 'ManagementObjectNotFound,Test-UMMailboxPIN', 'MailboxNotUMEnabled,Test-UMMailboxPIN')
    }

    It 'shows the PIN nowhere' {
        $run = Invoke-Fresh -Store $script:Store {
            Test-UMMailboxPIN tonysmith 7391554826 -Verbose -Debug | Format-List * | Out-String
            Test-UMMailboxPIN nobody 7391554826 -ErrorVariable problem -ErrorAction SilentlyContinue
            $problem[0].Exception.ToString() + $problem[0].ErrorDetails
        }
        $run.All + ($run.Output -join ' ') | Should -Not -Match '7391554826'
    }
}

Describe 'Lock-UMMailbox and Unlock-UMMailbox' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'lock and unlock without a new PIN or mail, silently' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false -SendEmail $false
            Lock-UMMailbox tonysmith
            (Test-UMMailboxPIN tonysmith 739155).Outcome
            Get-UMMailboxPIN tonysmith | Unlock-UMMailbox
            (Test-UMMailboxPIN tonysmith 739155).Outcome
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('Locked', 'Accepted')
        Get-MessageCount $script:Store | Should -Be 0
    }

    It 'end a lock-out and forget the wrong PINs' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false
            1..15 | ForEach-Object { $null = Test-UMMailboxPIN tonysmith 111222 }
            Unlock-UMMailbox tonysmith
            $state = Get-UMMailboxPIN tonysmith
            "$($state.LockedOut) $($state.FailedAttempts) $($null -eq $state.LockedSince)"
        }
        $run.Output | Should -Be @('False 0 True')
    }

    It 'say under -WhatIf what they would do, as Set-UMMailboxPIN does' {
        $run = Invoke-Fresh -Store $script:Store {
            Lock-UMMailbox tonysmith -WhatIf
            Unlock-UMMailbox tonysmith -WhatIf
            (Get-UMMailboxPIN tonysmith).LockedOut
        }
        $run.Text | Should -Match 'What if: Locking the telephone access of mailbox "contoso.com/Sales/Tony Smith" without changing its PIN'
        $run.Text | Should -Match 'What if: Unlocking'
        $run.Output | Should -Be @($false)
    }

    It 'report under their own names, once' {
        $run = Invoke-Fresh -Store $script:Store {
            'nobody', 'tonysmith' | Lock-UMMailbox -ErrorAction SilentlyContinue -PassThru | ForEach-Object LockedOut
            $Error.Count
            $Error[0].FullyQualifiedErrorId
        }
        $run.Output | Should -Be @($true, 1, 'ManagementObjectNotFound,Lock-UMMailbox')
    }
}
