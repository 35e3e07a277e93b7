# Replacing the key: Update-UMPinKey.
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe 'Update-UMPinKey' -Tag Embedded {
    BeforeEach {
        $script:Store = New-TestStore
        $filled = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin
            'tonysmith', 'amyalberts' | Set-UMMailboxPIN -Pin 739155 -PinExpired $false -SendEmail $false
        }
        $filled.ErrorText | Should -BeNullOrEmpty
    }
    AfterEach { Remove-TestFolder $script:Store }

    It 'writes one object, and the files that it names can go' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin
            $exported = "$Work/before.jsonl"
            Export-UMPinAudit -Path $exported
            $done = @(Update-UMPinKey -Confirm:$false)
            @($done).Count
            $done[0]
            $done[0].RemovableFiles | Remove-Item
            'tonysmith', 'amyalberts' | Test-UMMailboxPIN -Pin 739155 | ForEach-Object { "$($_.Outcome)" }
            @(Get-UMPinAudit -Action UpdateKey).Cmdlet
            @(Get-UMPinAudit -Path $exported).Count -gt 0
            # Another session, and what the check says of the key.
            @(Test-UMConfiguration | Where-Object { $_.Check -eq 'Key' -and $_.Result -eq 'Failed' }).Count
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output[0] | Should -Be 1
        $result = $run.Output[1]
        $result.KeyId | Should -Match '^[0-9a-f]{16}$'
        $result.Path | Should -Be ([System.IO.Path]::Combine($script:Store, 'umpin.key'))
        "$($result.IsNew) $($result.IsComplete) $($result.Records) $($result.Messages)" | Should -Be 'True True 2 0'
        @($result.RemovableFiles).Count | Should -Be 1
        $run.Output[2..6] | Should -Be @('Accepted', 'Accepted', 'Update-UMPinKey', $true, 0)
        @([System.IO.Directory]::GetFiles($script:Store, '*.key*')).Count | Should -Be 1
    }

    It 'asks, and -WhatIf changes nothing' {
        $key = [System.IO.Path]::Combine($script:Store, 'umpin.key')
        $before = [Convert]::ToBase64String([System.IO.File]::ReadAllBytes($key))
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin
            Update-UMPinKey -WhatIf
            try { Update-UMPinKey } catch { $_.FullyQualifiedErrorId }
        }
        $run.Output | Should -Be @('ConfirmationImpossible,Update-UMPinKey')
        $run.All | Should -Match 'Sealing every PIN record.*under a new key, which replaces the key [0-9a-f]{16}'
        [Convert]::ToBase64String([System.IO.File]::ReadAllBytes($key)) | Should -Be $before
        @([System.IO.Directory]::GetFiles($script:Store, '*.key*')).Count | Should -Be 1
    }

    It 'makes a key beforehand, and says what is still needed' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin
            $made = Update-UMPinKey -NewKeyOnly -Confirm:$false
            $made.IsNew
            $done = Update-UMPinKey -Confirm:$false
            $done.KeyId -eq $made.KeyId
            $done.IsNew
            $again = Update-UMPinKey -ResealOnly -Confirm:$false
            "$($again.IsComplete) $($again.Records) $(@($again.RemovableFiles).Count)"
            try { Update-UMPinKey -NewKeyOnly -ResealOnly -Confirm:$false } catch { $_.FullyQualifiedErrorId }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @($true, $true, $false, 'True 0 1', 'InvalidParameterCombination,Update-UMPinKey')
    }
}
