BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    # What somebody does to an export, who has an editor and not the key.
    function Edit-Log {
        param([string] $Path, [scriptblock] $Edit)

        $lines = [System.IO.File]::ReadAllLines($Path)
        [System.IO.File]::WriteAllText($Path, ((& $Edit $lines) -join "`n") + "`n")
    }
}

Describe 'Get-UMPinAudit' {
    BeforeAll {
        $script:Store = New-TestStore
        $script:Filled = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith@contoso.com -Pin 580291
            Start-Sleep -Milliseconds 20
            $middle = Get-Date
            Start-Sleep -Milliseconds 20
            Set-UMMailboxPIN kakers -SendEmail $false -WarningAction SilentlyContinue
            Set-UMMailboxPIN tonysmith@contoso.com -LockedOut $true -KeepPin
            $middle
        }
        $script:Middle = $script:Filled.Output[0]
    }
    AfterAll { Remove-TestFolder $script:Store }

    It 'shows one object for each operation: who did what to whom, when, and how it ended' {
        $run = Invoke-Fresh -Store $script:Store {
            # The embedded store begins with the import of the fixture.
            $entries = @(Get-UMPinAudit | Where-Object Cmdlet -NE 'Import-UMDirectory')
            $entries.Count
            $reset = $entries[0]
            $reset.PSObject.TypeNames[0]
            ($reset.PSObject.Properties.Name | Sort-Object) -join ' '
            "$($reset.Cmdlet) $($reset.Target) $($reset.Succeeded) $($reset.Kind) $($reset.ChainState)"
            $reset.Caller -ne '' -and $reset.Host -ne '' -and $reset.Application -like 'UMMailboxPin/*'
            $reset.Parameters.Identity + ' ' + $reset.Parameters.Pin
            "$($reset.Date.Kind) $([math]::Abs(((Get-Date) - $reset.Date).TotalMinutes) -lt 5)"
            "$($entries[2].Parameters.LockedOut) $($entries[2].Parameters.KeepPin) $($entries[2].Action)"
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @(3, 'UMMailboxPin.AuditEntry',
            'Action Application Caller ChainState Cmdlet Date Details Entry Host Kind OperationId Outcome Parameters Result RunAs Succeeded Target TargetGuid',
            'Set-UMMailboxPIN contoso.com/Sales/Tony Smith True operation Intact', $true, 'tonysmith@contoso.com *', 'Local True', 'True True Lock')
    }

    It 'has no PIN anywhere, typed or generated' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith@contoso.com -PassThru | ForEach-Object { [pscredential]::new('pin', $_.Pin).GetNetworkCredential().Password }
            $file = Join-Path $Work 'log.jsonl'
            Export-UMPinAudit $file
            (Get-UMPinAudit -Verbose 4>&1 | Format-List * | Out-String) + (Get-UMPinAudit | ConvertTo-Json -Depth 5) + (Get-Content $file -Raw)
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $pin = $run.Output[0]
        $pin | Should -Match '^\d{6}$'
        $text = $run.Output[1] -replace '"(mac|operation|key)":"[0-9a-f]+"' -replace '[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
        $text | Should -Match 'tonysmith'
        $text | Should -Not -Match "580291|(?<!\d)$pin(?!\d)"
    }

    It 'records nothing under -WhatIf' {
        $run = Invoke-Fresh -Store $script:Store {
            $before = @(Get-UMPinAudit).Count
            Set-UMMailboxPIN tonysmith@contoso.com -WhatIf
            $WhatIfPreference = $true
            Set-UMMailboxPIN tonysmith@contoso.com -LockedOut $true -KeepPin
            @(Get-UMPinAudit).Count - $before
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @(0)
    }

    It 'filters by mailbox, caller, cmdlet, outcome and time' {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Middle = $script:Middle } {
            $first = (Get-UMPinAudit -Cmdlet Set-UMMailboxPIN | Select-Object -First 1).Entry
            # By their distance from the first reset: what was before it, the import, differs.
            function Show {
                param($Entries)
                (@($Entries) | ForEach-Object { $_.Entry - $first } | Where-Object { $_ -ge 0 } | Select-Object -First 4) -join ' '
            }
            $me = (Get-UMPinAudit -ResultSize 1 -WarningAction SilentlyContinue).Caller
            Show (Get-UMPinAudit tonysmith)
            Show (Get-Mailbox tonysmith@contoso.com | Get-UMPinAudit)
            Show ('kakers' | Get-UMPinAudit)
            Show (Get-UMPinAudit -Identity nobody)
            Show (Get-UMPinAudit -Cmdlet set-ummailboxpin)
            Show (Get-UMPinAudit -Cmdlet 'Set-UM*')
            Show (Get-UMPinAudit -Cmdlet 'Imp*')
            Show (Get-UMPinAudit -Outcome Failed)
            Show (Get-UMPinAudit -Outcome Succeeded -Caller $me.ToUpper() -EndDate $V.Middle)
            Show (Get-UMPinAudit -Caller 'no?such*')
            Show (Get-UMPinAudit -StartDate $V.Middle)
            Show (Get-UMPinAudit -StartDate $V.Middle.ToUniversalTime() -EndDate (Get-Date).AddDays(-1))
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output[0] | Should -BeLike '0 4*'
        $run.Output[1] | Should -Be $run.Output[0]
        $run.Output[2..3] | Should -Be @('2', '')
        $run.Output[4..5] | Should -BeLike '0 2 4*'
        $run.Output[6..9] | Should -Be @('', '', '0', '')
        $run.Output[10] | Should -BeLike '2 4*'
        $run.Output[11] | Should -Be ''
    }

    It 'shows nothing for an empty pipeline, and refuses an empty identity' {
        $run = Invoke-Fresh -Store $script:Store {
            @(@() | Get-UMPinAudit).Count
            Get-UMPinAudit -Identity ' ' -ErrorAction SilentlyContinue -ErrorVariable failure
            $failure[0].FullyQualifiedErrorId
        }
        $run.Output | Should -Be @(0, 'InvalidIdentity,Get-UMPinAudit')
    }

    It 'warns when -ResultSize cuts, and only then' {
        $run = Invoke-Fresh -Store $script:Store {
            $all = @(Get-UMPinAudit).Count
            @(Get-UMPinAudit -ResultSize 2 -WarningVariable cut -WarningAction SilentlyContinue).Count
            "$cut"
            @(Get-UMPinAudit -ResultSize $all -WarningVariable whole).Count -eq $all
            @($whole).Count
        }
        $run.Output[0] | Should -Be 2
        $run.Output[1] | Should -BeLike 'Only the first 2 results*not checked to its end*'
        $run.Output[2..3] | Should -Be @($true, 0)
    }

    It 'shows a table by default' {
        $run = Invoke-Fresh -Store $script:Store { Get-UMPinAudit | Out-String -Width 160 }
        $run.Output[0] | Should -Match 'Date +Action +Succeeded +Outcome +Target'
        $run.Output[0] | Should -Match '\d{4}-\d\d-\d\d \d\d:\d\d Reset +True +Succeeded +contoso.com/Sales/Tony Smith'
    }

    It 'streams: a stopped pipeline reads no further' {
        $run = Invoke-Fresh -Store $script:Store { (Get-UMPinAudit | Select-Object -First 1).Entry; 'next' }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @(1, 'next')
    }
}

Describe 'Export-UMPinAudit' {
    BeforeAll {
        $script:Store = New-TestStore
        $null = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith@contoso.com
            Set-UMMailboxPIN kakers -SendEmail $false -WarningAction SilentlyContinue
            Set-UMMailboxPIN tonysmith@contoso.com -LockedOut $true -KeepPin
        }
        $script:Log = [System.IO.Path]::Combine($script:Store, 'log.jsonl')
        $script:Export = Invoke-Fresh -Store $script:Store -Variables @{ Log = $script:Log } { Export-UMPinAudit $V.Log }
    }
    AfterAll { Remove-TestFolder $script:Store }
    BeforeEach {
        $script:Copy = [System.IO.Path]::Combine($script:Store, 'copy.jsonl')
        [System.IO.File]::Copy($script:Log, $script:Copy, $true)
    }

    It 'is silent and writes a file for its owner that is read like the log itself' {
        $script:Export.All | Should -BeNullOrEmpty
        $script:Export.Output | Should -BeNullOrEmpty
        if ($env:OS -ne 'Windows_NT') {
            stat -c %a $script:Log | Should -Be '600'
        }
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Log = $script:Log } {
            $own = Get-UMPinAudit | ConvertTo-Json -Depth 5
            Set-Location (Split-Path $V.Log)
            (Get-UMPinAudit -Path log.jsonl | ConvertTo-Json -Depth 5) -ceq $own
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @($true)
    }

    It 'supports -WhatIf and -Confirm, -PassThru and -Force, and replaces no other file' {
        $run = Invoke-Fresh -Store $script:Store -Answers "n`n" {
            Set-Location $Work
            Export-UMPinAudit a.jsonl -WhatIf
            Export-UMPinAudit a.jsonl -Confirm
            Test-Path a.jsonl
            (Export-UMPinAudit a.jsonl -PassThru).FullName -eq (Join-Path $Work 'a.jsonl')
            Export-UMPinAudit a.jsonl -ErrorAction SilentlyContinue -ErrorVariable failure
            $failure[0].FullyQualifiedErrorId
            (Export-UMPinAudit a.jsonl -Force -PassThru).Length -gt 1000
            Set-Content other.txt 'keep'
            try { Export-UMPinAudit other.txt -Force -ErrorAction Stop } catch [UMMailboxPin.AuditFileUnusableException] { Get-Content other.txt }
            try { Export-UMPinAudit env:x } catch { $_.FullyQualifiedErrorId }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Text | Should -Match 'What if: Exporting the audit log of the directory to file ".*a.jsonl"'
        $run.Output | Should -Be @($false, $true, 'AuditFileUnusable,Export-UMPinAudit', $true, 'keep', 'AuditFileUnusable,Export-UMPinAudit')
    }

    It 'is found broken, once, naming host and entry, when <Name>' -ForEach @(
        @{ Name = 'an entry is changed'; Edit = { param($l) $l[4] = $l[4].Replace('true', 'false'); $l }; Message = 'at entry 4' }
        @{ Name = 'an entry is removed'; Edit = { param($l) $l[0..2] + $l[4..($l.Count - 1)] }; Message = 'at entry 4: entries before it were removed' }
        @{ Name = 'the last entries are removed'; Edit = { param($l) $l[0..4] + $l[$l.Count - 1] }; Message = 'after entry 4' }
        @{ Name = 'entries are swapped'; Edit = { param($l) $l[0..2] + $l[4, 3] + $l[5..($l.Count - 1)] }; Message = 'moved or repeated' }
        @{ Name = 'the end is removed'; Edit = { param($l) $l[0..($l.Count - 2)] }; Message = 'where the chain ends was removed' }
    ) {
        Edit-Log $script:Copy $Edit
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Log = $script:Copy } {
            $entries = @(Get-UMPinAudit -Path $V.Log -ErrorAction SilentlyContinue -ErrorVariable failure)
            @($failure).Count
            $failure[0].FullyQualifiedErrorId
            "$($failure[0].CategoryInfo.Category) $($failure[0].CategoryInfo.Reason) $($failure[0].TargetObject)"
            $failure[0].Exception.Message
            ($entries[0].Host)
            try { Get-UMPinAudit -Path $V.Log -ErrorAction Stop | Out-Null; 'not stopped' } catch [UMMailboxPin.AuditChainBrokenException] { 'stopped' }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output[0..1] | Should -Be @(1, 'AuditChainBroken,Get-UMPinAudit')
        $run.Output[2] | Should -Be "SecurityError AuditChainBrokenException $($run.Output[4])"
        $run.Output[3] | Should -BeLike "*host `"$($run.Output[4])`"*$Message*"
        $run.Output[5] | Should -Be 'stopped'
    }

    It 'marks the object whose entry was changed' {
        Edit-Log $script:Copy { param($l) $l[4] = $l[4].Replace('true', 'false'); $l }
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Log = $script:Copy } {
            Get-UMPinAudit -Path $V.Log -ErrorAction SilentlyContinue | ForEach-Object { "$($_.Entry) $($_.ChainState)" }
        }
        $run.Output | Should -Be (@('1 Intact', '3 Broken', '5 Intact') + @(Select-ByDirectory -Embedded '7 Intact', '9 Intact' -ActiveDirectory @()))
    }

    It 'is a warning and no error when it was cut off in the middle of a line' {
        $text = [System.IO.File]::ReadAllText($script:Copy)
        [System.IO.File]::WriteAllText($script:Copy, $text.Substring(0, $text.Length - 20))
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Log = $script:Copy } {
            @(Get-UMPinAudit -Path $V.Log -WarningVariable warnings -WarningAction SilentlyContinue).Count
            "$warnings"
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output[0] | Should -Be (Select-ByDirectory -Embedded 5 -ActiveDirectory 3)
        $run.Output[1] | Should -BeLike 'The audit chain of host "*" ends in the middle of an entry*'
    }

    It 'refuses to read <Name>' -ForEach @(
        @{ Name = 'a file that does not exist'; File = 'nowhere.jsonl' }, @{ Name = 'another file'; File = 'umpin.key' }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Log = [System.IO.Path]::Combine($script:Store, $File) } {
            Get-UMPinAudit -Path $V.Log -ErrorAction SilentlyContinue -ErrorVariable failure
            $failure[0].FullyQualifiedErrorId
        }
        $run.Output | Should -Be @('AuditFileUnusable,Get-UMPinAudit')
    }
}

Describe 'A configured retention' {
    It 'shows the log as intact, and a key that is lost as such' {
        $store = New-TestStore
        try {
            Set-TestConfiguration $store @{ audit = @{ retentionDays = 1 } }
            $run = Invoke-Fresh -Store $store {
                Set-UMMailboxPIN tonysmith@contoso.com
                @(Get-UMPinAudit -ErrorAction Stop).Count
                Remove-Item (Join-Path $env:UMPIN_HOME 'umpin.key')
                try { Get-UMPinAudit -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }
            }
            $run.ErrorText | Should -BeNullOrEmpty
            $run.Output | Should -Be @((Select-ByDirectory -Embedded 3 -ActiveDirectory 1), 'KeyUnavailable,Get-UMPinAudit')
        }
        finally {
            Remove-TestFolder $store
        }
    }
}
