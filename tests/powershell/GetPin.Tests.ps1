BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'Get-UMMailboxPIN' {
    It 'writes the properties of the original and a few more, with a string as UserID' {
        $run = Invoke-Fresh -Store $script:Store {
            $state = Get-UMMailboxPIN tonysmith
            $state.PSObject.TypeNames[0]
            ($state.PSObject.Properties.Name | Sort-Object) -join ' '
            $state.UserID.GetType().Name
            $state.UserID + "`t" + $state.ObjectState
            "$($state.PinExpired) $($state.LockedOut) $($state.FirstTimeUser) $($state.IsValid)"
        }
        $run.Output | Should -Be @('UMMailboxPin.UMMailboxPin',
            ('ExpiresOn FailedAttempts FirstTimeUser Identity IsValid LastFailedAttempt LastSet LockedOut LockedSince ' +
                'ObjectState PinExpired UserID UserObjectId'), 'String',
            "tonysmith@contoso.com`tUnchanged", 'True False True True')
    }

    It 'shows by default what the original has, and the rest on demand' {
        $run = Invoke-Fresh -Store $script:Store {
            $state = Get-UMMailboxPIN tonysmith
            foreach ($text in ($state | Out-String), ($state | Format-List | Out-String), ($state | Format-List * | Out-String)) {
                "$($text -match 'UserID') $($text -match 'IsValid') $($text -match 'FailedAttempts')"
            }
        }
        $run.Output | Should -Be @('True False False', 'True True False', 'True True True')
    }

    It 'shows all mailboxes that are enabled, and only those' {
        $enabled = @(Import-Csv -LiteralPath (Get-Fixture 'contoso.csv') -Encoding UTF8 | Where-Object UMEnabled -EQ 'TRUE').Count
        $run = Invoke-Fresh -Store $script:Store { @(Get-UMMailboxPIN).Count; @(Get-UMMailboxPIN -ResultSize Unlimited).Count }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @($enabled, $enabled)
    }

    It 'warns when -ResultSize cuts, and only then' {
        $run = Invoke-Fresh -Store $script:Store {
            $all = @(Get-UMMailboxPIN).Count
            @(Get-UMMailboxPIN -ResultSize 3 -WarningVariable cut -WarningAction SilentlyContinue).Count
            @($cut).Count
            @(Get-UMMailboxPIN -ResultSize $all -WarningVariable whole -WarningAction SilentlyContinue).Count -eq $all
            @($whole).Count
        }
        $run.Output | Should -Be @(3, 1, $true, 0)
    }

    It 'lists nothing for an empty upstream pipeline, and nothing is reset for one' {
        $run = Invoke-Fresh -Store $script:Store {
            @() | Get-UMMailboxPIN
            @() | Set-UMMailboxPIN -SendEmail $false
            Get-Mailbox | Where-Object Name -EQ 'none' | Get-UMMailboxPIN
            @() | Get-Mailbox
            @() | Get-UMMailbox
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -BeNullOrEmpty
    }

    It 'refuses an identity that is <Name>, and lists nothing' -ForEach @(
        @{ Name = 'null'; Block = 'Get-UMMailboxPIN $null' }, @{ Name = 'empty'; Block = "Get-UMMailboxPIN ''" }
        @{ Name = 'a named null'; Block = 'Get-UMMailboxPIN -Identity $undefined' }, @{ Name = 'null from the pipeline'; Block = '$null | Get-UMMailboxPIN' }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Script ([scriptblock]::Create("$Block; 'next'"))
        $run.ErrorText | Should -Not -BeNullOrEmpty
        $run.Output | Should -Be @('next')
    }

    It 'turns errors into warnings with -IgnoreErrors' {
        $run = Invoke-Fresh -Store $script:Store {
            $Error.Clear()
            Get-UMMailboxPIN nobody -IgnoreErrors -WarningVariable warned -WarningAction SilentlyContinue
            $Error.Count
            $warned.Message
        }
        $run.Output[0] | Should -Be 0
        $run.Output[1] | Should -Match 'nobody'
    }

    It 'accepts -Credential, -ReadFromDomainController and -DomainController, with a warning where they mean nothing' {
        $run = Invoke-Fresh -Store $script:Store {
            $secret = New-Object System.Security.SecureString
            $credential = New-Object System.Management.Automation.PSCredential 'CONTOSO\admin', $secret
            'tonysmith', 'amyalberts' | Get-UMMailboxPIN -Credential $credential -ReadFromDomainController -DomainController dc1.contoso.com `
                -WarningVariable warned -WarningAction SilentlyContinue | Out-Null
            @($warned).Count
        }
        $run.Output | Should -Be @(Select-ByDirectory -Embedded 2 -ActiveDirectory 1)
    }

    It 'shows a table' {
        $run = Invoke-Fresh -Store $script:Store { Get-UMMailboxPIN tonysmith | Out-String -Width 120 }
        $run.Output[0] | Should -Match 'UserID +PinExpired +LockedOut +FirstTimeUser'
    }
}
