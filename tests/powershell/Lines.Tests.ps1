BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'A name with control characters' {
    # Active Directory names an object so that lost a replication conflict; this one is imported, so only the embedded directory has it.
    BeforeAll {
        if (-not $script:OnActiveDirectory) {
            $script:Own = New-TestStore
            $csv = [System.IO.Path]::Combine($script:Own, 'conflict.csv')
            [System.IO.File]::WriteAllText($csv, "Name,DistinguishedName,UserPrincipalName,PrimarySmtpAddress,UMEnabled`n" +
                "Lost One,`"CN=Lost One\0ACNF:5d1ce63b-030f-b33e-f369-93d7545a3087,OU=Sales,DC=contoso,DC=com`",lost@contoso.com,lost@contoso.com,True`n")
            $script:Run = Invoke-Fresh -Store $script:Own -Variables @{ Csv = $csv } {
                Import-UMDirectory $V.Csv -WarningAction SilentlyContinue
                @(Get-Mailbox lost@contoso.com).Count
                Set-UMMailboxPIN lost@contoso.com -WhatIf
                Lock-UMMailbox lost@contoso.com -WhatIf
                # What the caller types comes back in messages too.
                Set-UMMailboxPIN "no`r`nbody`e[2J" -ErrorAction SilentlyContinue -ErrorVariable fault
                $fault[0].Exception.Message
                Get-UMMailboxPIN "no`r`nbody" -IgnoreErrors -WarningVariable warning -WarningAction SilentlyContinue
                "$warning"
                (Set-UMMailboxPIN lost@contoso.com -Pin 739155 -Verbose 4>&1 | ForEach-Object { "$_" }) -join '|'
                Set-UMMailboxPIN lost@contoso.com -Pin 123456 -ErrorAction SilentlyContinue -ErrorVariable fault
                $fault[0].Exception.Message
            }
        }
    }
    AfterAll { if (-not $script:OnActiveDirectory) { Remove-TestFolder $script:Own } }

    It 'never breaks a line of -WhatIf' -Tag Embedded {
        $lines = @($script:Run.Text -split '\r?\n' | Where-Object { $_ })
        $lines.Count | Should -Be 2 -Because $script:Run.All
        foreach ($line in $lines) { $line | Should -Match '^What if: .*Lost One\\0ACNF:5d1ce63b.*\.$' }
        $script:Run.Output[0] | Should -Be 1
    }

    It 'never breaks an error, a warning or a verbose line' -Tag Embedded {
        foreach ($text in $script:Run.Output[1..($script:Run.Output.Count - 1)]) {
            $text | Should -Not -Match '[\x00-\x1F\x7F-\x9F]'
        }
        $script:Run.Output[1] | Should -BeLike '*no\0D\0Abody\1B*'
        $script:Run.Output[2] | Should -BeLike '*no\0D\0Abody*'
    }

    It 'is shown with its code' {
        $run = Invoke-Fresh {
            Import-Module UMMailboxPin
            $line = [UMMailboxPin.CommandRuntime].Assembly.GetType('UMMailboxPin.Line').GetMethod('Of', [System.Reflection.BindingFlags] 'NonPublic, Static')
            foreach ($text in 'plain', "a`nb", "a`r`n", "`t", "x$([char] 0x2028)y", "x$([char] 0x202E)y", "x$([char] 0x85)", "$([char] 0xE4)") { $line.Invoke($null, @($text)) }
        }
        $run.Output | Should -Be @('plain', 'a\0Ab', 'a\0D\0A', '\09', 'x\E2\80\A8y', 'x\E2\80\AEy', 'x\C2\85', "$([char] 0xE4)")
    }
}

Describe 'An object whose property Identity is null' {
    It 'is known by its other properties' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin.Directory
            $row = [pscustomobject] @{ Identity = $null; Alias = 'kakers' }
            ($row | Get-UMMailboxPIN).UserID
            ($row | Get-Mailbox).Alias
            ($row | Set-UMMailboxPIN -PassThru).PrimarySmtpAddress
            ($row | Lock-UMMailbox -PassThru).PrimarySmtpAddress
            ($row | Unlock-UMMailbox -PassThru).PrimarySmtpAddress
            ($row | Test-UMMailboxPIN -Pin 111222).PrimarySmtpAddress
            @($row | Get-UMPinAudit -Action Lock).Count
            $mailbox = Get-UMMailbox kakers
            $mailbox.Identity = $null
            ($mailbox | Get-UMMailboxPIN).UserID
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('kakers@contoso.com', 'kakers', 'kakers@contoso.com', 'kakers@contoso.com', 'kakers@contoso.com', 'kakers@contoso.com', 1, 'kakers@contoso.com')
    }

    It 'and which has no others is an error of that object, after which the next one follows' {
        $run = Invoke-Fresh -Store $script:Store {
            $rows = [pscustomobject] @{ Identity = $null }, $null, [pscustomobject] @{ Identity = 'kakers' }
            @($rows | Get-UMMailboxPIN -ErrorAction SilentlyContinue -ErrorVariable faults).UserID
            $faults.FullyQualifiedErrorId
            try { Set-UMMailboxPIN -Identity $null } catch { $_.FullyQualifiedErrorId }
            try { Get-UMMailboxPIN -Identity $null } catch { $_.FullyQualifiedErrorId }
        }
        $run.Output | Should -Be @('kakers@contoso.com', 'InvalidIdentity,Get-UMMailboxPIN', 'InvalidIdentity,Get-UMMailboxPIN',
            'ParameterArgumentValidationErrorNullNotAllowed,Set-UMMailboxPIN', 'ParameterArgumentValidationError,Get-UMMailboxPIN')
    }
}

Describe 'An empty PIN' {
    It 'is an error of the caller of Test-UMMailboxPIN, and no attempt' {
        $run = Invoke-Fresh -Store $script:Store {
            $calls = @(
                { '' | ForEach-Object { Test-UMMailboxPIN tonysmith -Pin $_ } }
                { 'tonysmith' | Test-UMMailboxPIN -Pin $null }
                { [pscustomobject] @{ Identity = 'tonysmith'; Pin = $null } | Test-UMMailboxPIN }
                { Test-UMMailboxPIN tonysmith -Pin ([securestring]::new()) }
                { Test-UMMailboxPIN tonysmith -Pin ' ' }
                { "`t" | ForEach-Object { Test-UMMailboxPIN tonysmith -Pin $_ } }
            )
            foreach ($call in $calls) {
                try { & $call; "$call went on" } catch { "$($_.FullyQualifiedErrorId -replace ',.*') $($_.Exception.Message -match 'empty|blank|No PIN was given')" }
            }
            @(Get-UMPinAudit tonysmith -Action SignInFailure).Count
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be (@('ParameterArgumentValidationError True') * 2 + 'MissingMandatoryParameter True' + @('ParameterArgumentValidationError True') * 3 + 0)
    }
}
