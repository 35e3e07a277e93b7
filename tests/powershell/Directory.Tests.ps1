BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

# Embedded: nothing is imported into Active Directory.
Describe 'Import-UMDirectory' -Tag Embedded {
    BeforeEach { $script:Folder = New-TestFolder }
    AfterEach { Remove-TestFolder $script:Folder }

    It 'is silent but for the policies it had to make, and counts with -PassThru' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ File = Get-Fixture 'contoso.csv' } {
            Import-UMDirectory $V.File -PassThru -WarningVariable warned -WarningAction SilentlyContinue
            $warned.Message
            Import-UMDirectory $V.File -WarningVariable again
            @($again).Count
            (Import-UMDirectory $V.File -PassThru).MailboxesUnchanged
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output[0].MailboxesCreated | Should -Be 21
        $run.Output[0].PoliciesCreated | Should -Be @('Default')
        $run.Output[1] | Should -Match 'Default'
        $run.Output[2] | Should -Be 0
        $run.Output[3] | Should -Be 21
    }

    It 'takes files with and without byte order mark alike' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ File = Get-Fixture 'contoso.csv' } {
            [System.IO.File]::WriteAllText("$Work/bom.csv", [System.IO.File]::ReadAllText($V.File), (New-Object System.Text.UTF8Encoding $true))
            Import-UMDirectory "$Work/bom.csv" -WarningAction SilentlyContinue
            (Import-UMDirectory $V.File -PassThru).MailboxesUnchanged
            (Get-Mailbox zmueller).Name
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @(21, 'Zoë Müller')
    }

    It 'resolves a relative path against the location' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ Folder = [System.IO.Path]::GetDirectoryName((Get-Fixture 'contoso.csv')) } {
            Set-Location $V.Folder
            (Import-UMDirectory ./contoso.csv -PassThru -WarningAction SilentlyContinue).MailboxesCreated
        }
        $run.Output | Should -Be @(21)
    }

    It 'changes nothing because of one bad row, which it names' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ Good = Get-Fixture 'contoso.csv'; Bad = Get-Fixture 'invalid-row.csv' } {
            Import-UMDirectory $V.Good -WarningAction SilentlyContinue
            Import-UMDirectory $V.Bad -ErrorAction SilentlyContinue -ErrorVariable problem
            @($problem).Count
            $problem[0].FullyQualifiedErrorId
            $problem[0].Exception.Message
            @(Get-Mailbox).Count
        }
        $run.Output[0] | Should -Be 1
        $run.Output[1] | Should -Be 'ImportInvalid,Import-UMDirectory'
        $run.Output[2] | Should -Match 'line 3'
        $run.Output[3] | Should -Be 21
    }

    It 'leaves bad rows out with -SkipInvalid, with a warning for each' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ Bad = Get-Fixture 'invalid-row.csv' } {
            $result = Import-UMDirectory $V.Bad -SkipInvalid -DefaultPolicy Executives -PassThru -WarningVariable warned -WarningAction SilentlyContinue
            $result.MailboxesCreated
            @($warned.Message | Where-Object { $_ -match 'Line 3' }).Count
            "$($result.SkippedLines)"
            (Get-UMMailbox newhire@contoso.com).UMMailboxPolicy
        }
        $run.Output | Should -Be @(2, 1, '3', 'Executives')
    }

    It 'creates nothing with -WhatIf, and says what it would do' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ File = Get-Fixture 'contoso.csv' } {
            Import-UMDirectory $V.File -WhatIf -PassThru -WarningAction SilentlyContinue
        }
        $run.Text | Should -Match '^What if: .*21 mailboxes created'
        $run.Output | Should -BeNullOrEmpty
        Get-ChildItem -LiteralPath $script:Folder -Force | Should -BeNullOrEmpty
    }

    It 'warns of policies that nobody described, with <Name>' -ForEach @(
        @{ Name = 'an LDIF export of the users alone'; Arguments = @{}; Expected = 'Policies created: Sales Policy. They have*' }
        @{ Name = 'the same and -WhatIf'; Arguments = @{ WhatIf = $true }; Expected = 'Policies to be created: Sales Policy. They will have*' }
    ) {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ Arguments = $Arguments } {
            $lines = 'dn: CN=Tony Smith,OU=Sales,DC=contoso,DC=com', 'objectClass: user', 'cn: Tony Smith', 'mailNickname: tonysmith',
                'proxyAddresses: SMTP:tonysmith@contoso.com', 'msExchUMEnabledFlags: 1',
                'msExchUMTemplateLink: CN=Sales Policy,CN=UM Mailbox Policies,CN=Contoso,DC=contoso,DC=com'
            [System.IO.File]::WriteAllLines("$env:UMPIN_HOME/users.ldf", [string[]] $lines)
            $arguments = $V.Arguments
            Import-UMDirectory "$env:UMPIN_HOME/users.ldf" @arguments -WarningVariable warned -WarningAction SilentlyContinue
            $warned.Message
        }
        @($run.Output).Count | Should -Be 1
        $run.Output | Should -BeLike $Expected
    }

    It 'is committed before the prompt is back, or never, when it is stopped' {
        $run = Invoke-Fresh -Store $script:Folder {
            Import-Module UMMailboxPin.Directory
            foreach ($name in 'Right', 'Wrong') {
                [System.IO.File]::WriteAllLines("$Work/$name.csv", [string[]] @('Name,UserPrincipalName,UMEnabled'
                        1..5000 | ForEach-Object { "$name $_,u$_@contoso.com,True" }))
            }
            function Get-Import { @(Get-UMPinAudit -Action Import -Outcome Succeeded).Count }
            Import-UMDirectory "$Work/Right.csv" -WarningAction SilentlyContinue
            # At other moments of the import: while it is read, checked and written.
            foreach ($delay in 60, 250, 500) {
                $shell = [powershell]::Create()
                $null = $shell.AddScript('param($file) Import-UMDirectory $file').AddArgument("$Work/Wrong.csv").BeginInvoke()
                Start-Sleep -Milliseconds $delay
                $shell.Stop()
                $before = Get-Import
                # Takes its turn behind whatever the library still does.
                Import-UMDirectory "$Work/Right.csv" -WarningAction SilentlyContinue
                "$((Get-Import) - $before) $((Get-Mailbox u5000@contoso.com).Name)"
            }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('1 Right 5000', '1 Right 5000', '1 Right 5000')
    }

    It 'has one error for a file that is <Name>' -ForEach @(
        @{ Name = 'not there'; Path = './none.csv' }
        @{ Name = 'on a drive that is not there'; Path = 'nodrive:\none.csv' }
        @{ Name = 'a folder'; Path = '.' }
    ) {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ Path = $Path } {
            $Error.Clear()
            try { Import-UMDirectory $V.Path } catch { $_.FullyQualifiedErrorId }
            $Error.Count
        }
        $run.Output | Should -Be @('ImportInvalid,Import-UMDirectory', 1)
    }
}

Describe 'The mailbox commands' {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'Get-Mailbox shows what scripts read' {
        $run = Invoke-Fresh -Store $script:Store {
            $mailbox = Get-Mailbox tonysmith@contoso.com
            $mailbox.PSObject.TypeNames[0]
            $mailbox.Guid.GetType().Name
            $mailbox.UMEnabled
            $mailbox.UMEnabled.GetType().Name
            $mailbox.DistinguishedName
            $mailbox.EmailAddresses -join ' '
            if ((Get-Mailbox ryoung).UMEnabled) { 'enabled' } else { 'not enabled' }
        }
        # Active Directory has the extension among the addresses, as Exchange shows it.
        $extension = Select-ByDirectory -Embedded '' -ActiveDirectory ' eum:4271;phone-context=Contoso.contoso.com'
        $run.Output | Should -Be @('UMMailboxPin.Mailbox', 'Guid', $true, 'Boolean', 'CN=Tony Smith,OU=Sales,DC=contoso,DC=com',
            "SMTP:tonysmith@contoso.com smtp:tony.tonysmith@contoso.com$extension", 'not enabled')
    }

    It 'Get-UMMailbox serves as the usual guard' {
        $run = Invoke-Fresh -Store $script:Store {
            $Error.Clear()
            foreach ($name in 'tonysmith', 'ryoung', 'nobody') {
                if (Get-UMMailbox $name -ErrorAction SilentlyContinue) { "$name yes" } else { "$name no" }
            }
            $Error.FullyQualifiedErrorId
            $mailbox = Get-UMMailbox mdempsey
            $mailbox.Extensions -join ' '
            $mailbox.UMMailboxPolicy
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith yes', 'ryoung no', 'nobody no', 'ManagementObjectNotFound,Get-UMMailbox',
            'MailboxNotUMEnabled,Get-UMMailbox', '6305 6399', 'Default')
    }

    It 'take a ResultSize of $null, as of a setting that is missing, for the default' {
        $run = Invoke-Fresh -Store $script:Store {
            $size = $null
            foreach ($name in 'Get-Mailbox', 'Get-UMMailbox', 'Get-UMMailboxPIN', 'Get-UMPinNotification') {
                "$name $(@(& $name -ResultSize $size).Count -eq @(& $name).Count)"
            }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('Get-Mailbox True', 'Get-UMMailbox True', 'Get-UMMailboxPIN True', 'Get-UMPinNotification True')
    }

    It 'Get-UMMailboxPolicy shows the rules' {
        $run = Invoke-Fresh -Store $script:Store { Get-UMMailboxPolicy Default; @(Get-UMMailboxPolicy).Count; Get-UMMailboxPolicy none -ErrorAction SilentlyContinue; $? }
        $run.Output[0].MinPINLength | Should -Be 6
        $run.Output[0].PINLifetime | Should -Be 60
        $run.Output[0].MaxLogonAttempts | Should -Be 15
        $run.Output[1] | Should -Be 1
        $run.Output[2] | Should -BeFalse
    }

    It '-ErrorAction Stop and $ErrorActionPreference of the script count' {
        $run = Invoke-Fresh -Store $script:Store {
            $ErrorActionPreference = 'Stop'
            try { Get-Mailbox nobody; 'went on' } catch { $_.CategoryInfo.Reason }
        }
        $run.Output | Should -Be @('ManagementObjectNotFoundException')
    }

    It 'are loaded when they are called, without an import' {
        $run = Invoke-Fresh -Store $script:Store { (Get-Mailbox tonysmith).Alias; (Get-Module UMMailboxPin*).Name | Sort-Object }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith', 'UMMailboxPin', 'UMMailboxPin.Directory')
    }

    It 'work after UMMailboxPin was removed, and again after it was imported' {
        $run = Invoke-Fresh -Store $script:Store {
            Get-Mailbox tonysmith | ForEach-Object Alias
            Remove-Module UMMailboxPin -Force
            Get-Mailbox tonysmith | ForEach-Object Alias
            Import-Module UMMailboxPin
            (Get-UMMailboxPIN tonysmith).FirstTimeUser
            Get-Mailbox tonysmith | ForEach-Object Alias
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith', 'tonysmith', $true, 'tonysmith')
    }

    It 'leave a command alone that the session has' {
        $run = Invoke-Fresh -Store $script:Store { function global:Get-Mailbox { 'own' }; Get-UMMailboxPIN tonysmith | Out-Null; Get-Mailbox }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('own')
    }

    It 'warn at an import that hides one, and name it; -NoClobber hides none' {
        $run = Invoke-Fresh -Store $script:Store {
            function global:Get-Mailbox { 'own' }
            Import-Module UMMailboxPin.Directory -NoClobber -WarningAction SilentlyContinue
            Get-Mailbox
            Remove-Module UMMailboxPin.Directory
            Import-Module UMMailboxPin.Directory
            (Get-Command Get-Mailbox).ModuleName
        }
        $run.Text | Should -Match 'WARNING: .*Get-Mailbox'
        $run.Output | Should -Be @('own', 'UMMailboxPin.Directory')
    }
}

# What changes is told, users are followed, and exports of Active Directory are understood.
Describe 'Import-UMDirectory, again' -Tag Embedded {
    BeforeEach { $script:Folder = New-TestFolder }
    AfterEach { Remove-TestFolder $script:Folder }

    It 'follows a user who was renamed and moved, and says so with -Verbose' {
        $run = Invoke-Fresh -Store $script:Folder {
            $h = 'DistinguishedName,UserPrincipalName,PrimarySmtpAddress,UMEnabled,Extensions'
            Set-Content "$Work/w1.csv" $h, '"CN=Kim Akers,OU=Sales,DC=contoso,DC=com",kima@contoso.com,kima@contoso.com,True,42711'
            Set-Content "$Work/w2.csv" $h, '"CN=Kim Ralls,OU=Support,DC=contoso,DC=com",kima@contoso.com,kima@contoso.com,True,42711'
            Import-UMDirectory "$Work/w1.csv" -WarningAction SilentlyContinue
            Set-UMMailboxPIN kima@contoso.com -Pin 840217 -PinExpired $false -SendEmail $false
            $result = Import-UMDirectory "$Work/w2.csv" -PassThru -Verbose 4> "$Work/verbose.txt"
            $result.MailboxesUpdated
            $result.PropertiesChanged -join ' '
            "$($result.Changes[0])"
            (Test-UMMailboxPIN kima@contoso.com -Pin 840217).Outcome
            @(Get-Mailbox).Count
            [System.IO.File]::ReadAllText("$Work/verbose.txt")
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output[0..4] | Should -Be @(1, 'DistinguishedName Name', 'contoso.com/Sales/Kim Akers: DistinguishedName, Name', 'Accepted', 1)
        $run.Output[5] | Should -Match "recognized by its user principal name and becomes 'contoso\.com/Support/Kim Ralls'"
    }

    It 'says under -WhatIf which properties change, and leaves the others alone' {
        $run = Invoke-Fresh -Store $script:Folder {
            Set-Content "$Work/all.csv" 'UserPrincipalName,Name,PrimarySmtpAddress,UMEnabled,Extensions', 'a@contoso.com,A,a@contoso.com,True,5@Redmond'
            Set-Content "$Work/few.csv" 'UserPrincipalName,DisplayName', 'a@contoso.com,Anna'
            Import-UMDirectory "$Work/all.csv" -WarningAction SilentlyContinue
            Import-UMDirectory "$Work/few.csv" -WhatIf
            Import-UMDirectory "$Work/few.csv"
            $mailbox = Get-UMMailbox a@contoso.com
            "$($mailbox.DisplayName) $($mailbox.PrimarySmtpAddress) $($mailbox.Extensions)"
        }
        $run.ErrorText | Should -BeNullOrEmpty
        ($run.All + $run.Output) -join "`n" | Should -Match '1 updated \(DisplayName: 1\)'
        $run.Output[-1] | Should -Be 'Anna a@contoso.com 5'
    }

    It 'warns of an extension that cannot be used' {
        $run = Invoke-Fresh -Store $script:Folder {
            Set-Content "$Work/x.csv" 'DN,mail,msExchUMEnabledFlags,proxyAddresses', '"CN=A,DC=contoso,DC=com",a@contoso.com,1,SMTP:a@contoso.com;eum:4x71\;phone-context=Redmond'
            Import-UMDirectory "$Work/x.csv" -WarningVariable warned -WarningAction SilentlyContinue
            $warned.Message -like '*eum:4x71;phone-context=Redmond*'
            (Get-UMMailbox a@contoso.com).Name
        }
        $run.Output[0] | Should -Match 'no extension of 1 to 20 digits'
        $run.Output[-1] | Should -Be 'A'
    }
}

Describe 'Remove-UMDirectoryMailbox' -Tag Embedded {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'asks unless told otherwise, removes nothing under -WhatIf, and says who did it' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -SendEmail $false -WarningAction SilentlyContinue
            Remove-UMDirectoryMailbox tonysmith -WhatIf
            try { Remove-UMDirectoryMailbox tonysmith } catch { $_.FullyQualifiedErrorId }
            (Get-Mailbox tonysmith).Alias
            Get-Mailbox tonysmith | Remove-UMDirectoryMailbox -Confirm:$false
            Get-Mailbox tonysmith -ErrorAction SilentlyContinue -ErrorVariable gone
            $gone.FullyQualifiedErrorId
            Remove-UMDirectoryMailbox nobody -Confirm:$false -ErrorAction SilentlyContinue -ErrorVariable unknown
            $unknown.FullyQualifiedErrorId
            $entry = Get-UMPinAudit -Action RemoveMailbox
            "$($entry.Action) $($entry.Cmdlet)"
            "$((Get-Command Remove-UMDirectoryMailbox).ScriptBlock.Attributes.ConfirmImpact)"
        }
        $text = @($run.Output | Where-Object { $_ -isnot [string] -or $_ -notlike 'What if:*' })
        $text | Should -Be @('ConfirmationImpossible,Remove-UMDirectoryMailbox', 'tonysmith', 'ManagementObjectNotFound,Get-Mailbox',
            'ManagementObjectNotFound,Remove-UMDirectoryMailbox', 'RemoveMailbox Remove-UMDirectoryMailbox', 'High')
    }
}
