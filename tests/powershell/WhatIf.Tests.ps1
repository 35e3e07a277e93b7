BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
    # What the directory holds elsewhere, and every file but those that SQLite makes for readers, too: its shared memory, and a -wal file
    # without content. What is written goes to the -wal file first.
    function Get-StoreState {
        Get-DirectoryState
        Get-ChildItem -LiteralPath $script:Store -Recurse -File -Force | Where-Object { $_.Name -notmatch '-shm$' -and -not ($_.Name -match '-wal$' -and $_.Length -eq 0) } |
            Sort-Object FullName | ForEach-Object { '{0} {1}' -f $_.Name, (Get-FileHash -LiteralPath $_.FullName).Hash }
    }
}
AfterAll { Remove-TestFolder $script:Store }

Describe '-WhatIf' {
    It 'prints one sentence for each mailbox and changes nothing' {
        $before = Get-StoreState
        $run = Invoke-Fresh -Store $script:Store {
            Get-Mailbox -ResultSize Unlimited | Where-Object UMEnabled | Set-UMMailboxPIN -WhatIf
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $lines = @($run.Text -split '\r?\n' | Where-Object { $_ })
        $enabled = @(Import-Csv -LiteralPath (Get-Fixture 'contoso.csv') -Encoding UTF8 | Where-Object UMEnabled -EQ 'TRUE').Count
        $lines.Count | Should -Be $enabled
        $lines | Should -Match '^What if: .+"contoso\.com/'
        @($lines | Where-Object { $_ -match '"contoso\.com/Sales/Tony Smith"' }).Count | Should -Be 1
        Get-StoreState | Should -Be $before
    }

    It 'never shows the PIN, and names the recipient' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN tonysmith -Pin 739155 -WhatIf -Verbose }
        $run.All | Should -Not -Match '739155'
        $run.Text | Should -Match 'tonysmith@contoso\.com'
    }

    It 'reports what would fail as the errors they would be' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 123456 -WhatIf -ErrorAction SilentlyContinue -ErrorVariable +problem
            Set-UMMailboxPIN nobody -WhatIf -ErrorAction SilentlyContinue -ErrorVariable +problem
            Set-UMMailboxPIN ryoung -WhatIf -ErrorAction SilentlyContinue -ErrorVariable +problem
            Set-UMMailboxPIN tonysmith -NotifyEmail nonsense -WhatIf -ErrorAction SilentlyContinue -ErrorVariable +problem
            $problem.FullyQualifiedErrorId
        }
        $run.Text | Should -BeNullOrEmpty
        $run.Output | Should -Be @('PinPolicyViolation,Set-UMMailboxPIN', 'ManagementObjectNotFound,Set-UMMailboxPIN',
            'MailboxNotUMEnabled,Set-UMMailboxPIN', 'InvalidNotifyEmail,Set-UMMailboxPIN')
    }

    It 'checks the history' {
        $other = New-TestStore
        try {
            $run = Invoke-Fresh -Store $other {
                Set-UMMailboxPIN tonysmith -Pin 739155
                Set-UMMailboxPIN tonysmith -Pin 739155 -WhatIf -ErrorAction SilentlyContinue -ErrorVariable problem
                $problem.FullyQualifiedErrorId
            }
            $run.Output | Should -Be @('PinPolicyViolation,Set-UMMailboxPIN')
            Get-MessageCount $other | Should -Be 1
        }
        finally { Remove-TestFolder $other }
    }

    It 'writes no object with -PassThru' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN tonysmith -WhatIf -PassThru }
        $run.Output | Should -BeNullOrEmpty
    }
}
