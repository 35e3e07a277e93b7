BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
}
AfterAll {
    Remove-TestFolder $script:Store
}

Describe 'Test-UMConfiguration' {
    It 'writes one object for each check, and says what to do about what is not well' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin
            Set-UMMailboxPIN tonysmith@contoso.com -SendEmail $false -WarningAction SilentlyContinue
            Test-UMConfiguration -Identity tonysmith@contoso.com
        }
        $run.ErrorText | Should -BeNullOrEmpty
        foreach ($check in $run.Output) {
            $check.Result | Should -BeIn 'Passed', 'Warning', 'Failed', 'Skipped'
            $check.Message | Should -Not -BeNullOrEmpty -Because $check.Check
            [bool] $check.RecommendedAction | Should -Be ($check.Result -in 'Warning', 'Failed') -Because "$check"
        }
        @($run.Output | Where-Object Result -EQ Failed) | Should -BeNullOrEmpty -Because ($run.Output -join [Environment]::NewLine)
        foreach ($name in 'Configuration', 'Directory', 'Account', 'ReadRights', 'WriteRights', 'Key', 'Files') {
            @($run.Output | Where-Object { $_.Check -eq $name -and $_.Result -ne 'Skipped' }).Count | Should -BeGreaterThan 0 -Because $name
        }
        if ($script:OnActiveDirectory) {
            foreach ($name in 'DomainController', 'Certificate', 'Clock') {
                @($run.Output | Where-Object { $_.Check -eq $name -and $_.Result -eq 'Passed' }).Count | Should -BeGreaterThan 0 -Because $name
            }
        }
    }

    It 'goes on where <Name>, and that is a result' -ForEach @(
        @{ Name = 'the configuration has a fault'; Break = { [System.IO.File]::WriteAllText([System.IO.Path]::Combine($args[0], 'umpin.json'), '{ "colour": 1 }') }
            Check = 'Configuration'; Says = 'colour'; Id = 'ConfigurationInvalid'
        }
        @{ Name = 'the key is missing'; Break = { [System.IO.File]::Delete([System.IO.Path]::Combine($args[0], 'umpin.key')) }
            Check = 'Key'; Says = 'umpin.key'; Id = 'KeyUnavailable'
        }
    ) {
        $store = New-TestStore
        try {
            & $Break $store
            $run = Invoke-Fresh -Store $store {
                Import-Module UMMailboxPin
                $ErrorActionPreference = 'Stop'
                Test-UMConfiguration
                'went on'
            }
            $run.ErrorText | Should -BeNullOrEmpty
            $run.Output[-1] | Should -Be 'went on'
            $found = @($run.Output | Where-Object { $_.Check -eq $Check -and $_.Result -eq 'Failed' })
            $found.Count | Should -Be 1
            $found[0].Message | Should -Match $Says
            $found[0].ErrorId | Should -Be $Id
            $found[0].RecommendedAction | Should -Not -BeNullOrEmpty
        }
        finally {
            Remove-TestFolder $store
        }
    }

    It 'sends a test message where an address is given, and not under -WhatIf' {
        $store = New-TestStore
        try {
            $run = Invoke-Fresh -Store $store {
                Import-Module UMMailboxPin
                Test-UMConfiguration -NotifyEmail admin@contoso.com -WhatIf
            }
            $run.Text | Should -Match 'Sending a test message to admin@contoso.com'
            Get-MessageCount $store | Should -Be 0
            ($run.Output | Where-Object Check -EQ TestMessage).Result | Should -Be 'Skipped'
            $run = Invoke-Fresh -Store $store {
                Import-Module UMMailboxPin
                Test-UMConfiguration -NotifyEmail admin@contoso.com
                Test-UMConfiguration -NotifyEmail 'no address'
            }
            ($run.Output | Where-Object Check -EQ TestMessage).Result | Should -Be 'Passed'
            Get-MessageCount $store | Should -Be 1
            $run.ErrorText | Should -Match 'InvalidNotifyEmail|not one e-mail address'
        }
        finally {
            Remove-TestFolder $store
        }
    }

    It 'is readable in <Width> columns' -ForEach @{ Width = 80 }, @{ Width = 120 } {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Width = $Width } {
            Import-Module UMMailboxPin
            Test-UMConfiguration | Out-String -Width $V.Width
        }
        $lines = $run.Output -split '\r?\n'
        $header = $lines | Where-Object { $_ -match '^Result' }
        $header | Should -Match '^Result\s+Check\s+Target\s+Message'
        ($lines | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessOrEqual $Width
        ($lines -join ' ') -replace '\s+', ' ' | Should -Not -Match '(?m)\.\.\.$'
    }
}

Describe 'Owners and modes' -Tag Embedded {
    # The store is a file of this computer's only in the embedded directory.
    It 'refuses a folder that everybody writes in, once, with what to do' {
        if ($env:OS -eq 'Windows_NT') { return }
        $store = New-TestStore
        try {
            chmod 777 $store
            $run = Invoke-Fresh -Store $store {
                Import-Module UMMailboxPin
                try { 'tonysmith@contoso.com', 'amyalberts@contoso.com' | Set-UMMailboxPIN } catch { $_.FullyQualifiedErrorId; "$($_.ErrorDetails.RecommendedAction)" }
                (Test-UMConfiguration | Where-Object Check -EQ Directory).ErrorId
            }
            $run.Output[0] | Should -Be 'StoreExposed,Set-UMMailboxPIN'
            $run.Output[1] | Should -Match 'nobody else'
            $run.Output[2] | Should -Be 'StoreExposed'
            Get-MessageCount $store | Should -Be 0
        }
        finally {
            chmod 700 $store
            Remove-TestFolder $store
        }
    }

    It 'warns of a folder above that others write in, once for each command' {
        if ($env:OS -eq 'Windows_NT') { return }
        $above = New-TestFolder
        $store = [System.IO.Path]::Combine($above, 'data')
        try {
            $copy = New-TestStore
            [System.IO.Directory]::Move($copy, $store)
            chmod 777 $above
            $run = Invoke-Fresh -Store $store {
                Import-Module UMMailboxPin
                'tonysmith', 'amyalberts' | Get-UMMailboxPIN -WarningVariable told -WarningAction SilentlyContinue | Out-Null
                $told.Count
                "$told"
            }
            $run.Output[0] | Should -Be 1
            $run.Output[1] | Should -Match 'everybody'
        }
        finally {
            Remove-TestFolder $above
        }
    }
}
