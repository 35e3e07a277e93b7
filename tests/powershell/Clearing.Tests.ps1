BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe 'Clear-UMMailboxPIN' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'removes the PIN, silently, and the audit says so' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false -SendEmail $false
            Get-UMMailboxPIN tonysmith | Clear-UMMailboxPIN -Confirm:$false
            (Test-UMMailboxPIN tonysmith 739155).Outcome
            $state = Get-UMMailboxPIN tonysmith
            "$($state.FirstTimeUser) $($state.PinExpired) $($null -eq $state.LastSet)"
            $entry = Get-UMPinAudit -Action ClearPin
            "$($entry.Cmdlet) $($entry.Target) $($entry.Succeeded)"
            # The history is gone, too.
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false -SendEmail $false
            (Test-UMMailboxPIN tonysmith 739155).Outcome
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('Rejected', 'True True True', 'Clear-UMMailboxPIN contoso.com/Sales/Tony Smith True', 'Accepted')
    }

    It 'says under -WhatIf what it would do, and nothing of a mailbox that has no PIN' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false -SendEmail $false
            'tonysmith', 'amyalberts' | Clear-UMMailboxPIN -WhatIf
            (Test-UMMailboxPIN tonysmith 739155).Outcome
        }
        $run.Text | Should -Match 'What if: Clearing the PIN record of mailbox "contoso.com/Sales/Tony Smith"'
        $run.Text | Should -Not -Match 'Amy'
        $run.Output | Should -Be @('Accepted')
    }

    It 'asks unless it is told not to' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false -SendEmail $false
            "$((Get-Command Clear-UMMailboxPIN).ScriptBlock.Attributes.ConfirmImpact)"
            # Nobody is there to ask.
            try { Clear-UMMailboxPIN tonysmith -ErrorAction Stop } catch { 'not asked' }
            (Test-UMMailboxPIN tonysmith 739155).Outcome
        }
        $run.Output | Should -Be @('High', 'not asked', 'Accepted')
    }

    It 'reports under its own name, once' {
        $run = Invoke-Fresh -Store $script:Store {
            'nobody', 'tonysmith' | Clear-UMMailboxPIN -Confirm:$false -ErrorAction SilentlyContinue
            $Error.Count
            $Error[0].FullyQualifiedErrorId
        }
        $run.Output | Should -Be @(1, 'ManagementObjectNotFound,Clear-UMMailboxPIN')
    }
}
