BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'Identity' {
    It 'finds the mailbox by each form' {
        $run = Invoke-Fresh -Store $script:Store {
            $guid = (Get-Mailbox tonysmith).Guid
            @(
                'tonysmith', 'TonySmith', ' tonysmith ', 'Tony Smith', 'tonysmith@contoso.com', 'TONYSMITH@CONTOSO.COM', 'tony.tonysmith@contoso.com'
                'CN=Tony Smith,OU=Sales,DC=contoso,DC=com', 'cn=tony smith, ou=Sales, dc=contoso, dc=com', 'contoso.com/Sales/Tony Smith'
                'CONTOSO\tonysmith', '/o=Contoso/ou=Exchange Administrative Group/cn=Recipients/cn=tonysmith'
                "$guid", $guid.ToString('B'), $guid.ToString('N')
            ) | ForEach-Object {
                $found = Get-UMMailboxPIN $_ -ErrorAction SilentlyContinue
                if ($found.UserObjectId -ne "$guid") { $_ }
            }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -BeNullOrEmpty
    }

    It 'finds names beyond ASCII and with commas' {
        $run = Invoke-Fresh -Store $script:Store {
            (Get-Mailbox 'ZOË MÜLLER').Alias
            (Get-Mailbox '李 伟').Alias
            (Get-Mailbox 'CN=Miller\, Ben,OU=Sales,DC=contoso,DC=com').Alias
            (Get-Mailbox 'CN=Miller\2C Ben,OU=Sales,DC=contoso,DC=com').Alias
        }
        $run.Output | Should -Be @('zmueller', 'wli', 'bmiller', 'bmiller')
    }

    It 'binds <Name>' -ForEach @(
        @{ Name = 'a string'; Block = '"tonysmith" | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a GUID object'; Block = '(Get-Mailbox tonysmith).Guid | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a mailbox'; Block = 'Get-Mailbox tonysmith | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a UM mailbox'; Block = 'Get-UMMailbox tonysmith | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a mailbox as argument'; Block = 'Set-UMMailboxPIN (Get-Mailbox tonysmith) -WhatIf' }
        @{ Name = 'the state of a PIN'; Block = 'Get-UMMailboxPIN tonysmith | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a result of -PassThru'; Block = '[pscustomobject] @{ PSTypeName = "UMMailboxPin.ResetResult"; Identity = "tonysmith" } | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a row with an Identity'; Block = '[pscustomobject] @{ Identity = "tonysmith"; Alias = "other" } | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a row with an e-mail address'; Block = '[pscustomobject] @{ Identity = " "; PrimarySmtpAddress = "tonysmith@contoso.com" } | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a line of a file'; Block = 'Set-Content "$Work/list.txt" "tonysmith"; Get-Content "$Work/list.txt" | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'a script block on the pipeline'; Block = '[pscustomobject] @{ User = "tonysmith" } | Set-UMMailboxPIN -Identity { $_.User } -WhatIf' }
        @{ Name = 'a deserialized mailbox'; Block = 'Get-Mailbox tonysmith | Export-Clixml "$Work/m.xml"; Import-Clixml "$Work/m.xml" | Set-UMMailboxPIN -WhatIf' }
        @{ Name = 'an Exchange mailbox from CLIXML'; Block = '
            $mailbox = [pscustomobject] @{ Identity = "ambiguous"; Guid = (Get-Mailbox tonysmith).Guid }
            $mailbox.PSObject.TypeNames.Insert(0, "Deserialized.Microsoft.Exchange.Data.Directory.Management.Mailbox")
            $mailbox | Set-UMMailboxPIN -WhatIf' }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Script ([scriptblock]::Create($Block))
        $run.ErrorText | Should -BeNullOrEmpty
        @($run.Text -split '\r?\n' | Where-Object { $_ }).Count | Should -Be 1
        $run.Text | Should -Match '"contoso\.com/Sales/Tony Smith"'
    }

    It 'takes the rows of a CSV file, with and without byte order mark' {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ File = Get-Fixture 'identities.csv' } {
            Import-Csv $V.File | Set-UMMailboxPIN -WhatIf
            [System.IO.File]::WriteAllText("$Work/bom.csv", [System.IO.File]::ReadAllText($V.File), (New-Object System.Text.UTF8Encoding $true))
            Import-Csv "$Work/bom.csv" | Set-UMMailboxPIN -WhatIf
        }
        $run.ErrorText | Should -BeNullOrEmpty
        @($run.Text -split '\r?\n' | Where-Object { $_ -match '^What if: ' }).Count | Should -Be 6
    }

    It 'refuses <Name> at the binding, as the original' -ForEach @(
        @{ Name = 'a list'; Block = "Set-UMMailboxPIN 'tonysmith','amyalberts'"; Id = 'ParameterArgumentTransformationError,Set-UMMailboxPIN' }
        @{ Name = 'null'; Block = 'Set-UMMailboxPIN $null'; Id = 'ParameterArgumentValidationErrorNullNotAllowed,Set-UMMailboxPIN' }
        @{ Name = '-LockedOut without a value'; Block = 'Set-UMMailboxPIN tonysmith -LockedOut'; Id = 'MissingArgument,Set-UMMailboxPIN' }
        @{ Name = 'a text for -LockedOut'; Block = "Set-UMMailboxPIN tonysmith -LockedOut 'true'"; Id = 'ParameterArgumentTransformationError,Set-UMMailboxPIN' }
        @{ Name = 'no domain controller'; Block = "Set-UMMailboxPIN tonysmith -DomainController 'not a name!'"; Id = 'ParameterArgumentTransformationError,Set-UMMailboxPIN' }
        @{ Name = '65 threads'; Block = 'Set-UMMailboxPIN tonysmith -ThrottleLimit 65'; Id = 'ParameterArgumentValidationError,Set-UMMailboxPIN' }
    ) {
        $before = Get-MessageCount $script:Store
        $run = Invoke-Fresh -Store $script:Store -Script ([scriptblock]::Create("try { $Block } catch { `$_.FullyQualifiedErrorId }"))
        $run.Output | Should -Be @($Id)
        Get-MessageCount $script:Store | Should -Be $before
    }

    It 'treats <Name> as an error of that item' -ForEach @(
        @{ Name = 'empty text'; Block = "'' | Set-UMMailboxPIN"; Id = 'InvalidIdentity' }
        @{ Name = 'an object without any name'; Block = '[pscustomobject] @{ Department = "Sales" } | Set-UMMailboxPIN'; Id = 'InvalidIdentity' }
        @{ Name = 'an asterisk'; Block = "Set-UMMailboxPIN '*'"; Id = 'ManagementObjectNotFound' }
        @{ Name = 'a value of two mailboxes'; Block = 'Set-UMMailboxPIN helpdesk@contoso.com'; Id = 'ManagementObjectAmbiguous' }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Script ([scriptblock]::Create(
                "$Block -ErrorAction SilentlyContinue -ErrorVariable problem; `$problem.FullyQualifiedErrorId"))
        $run.Output | Should -Be @("$Id,Set-UMMailboxPIN")
    }

    It 'binds arguments in constrained language, where the pipeline does not' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module -Name UMMailboxPin, UMMailboxPin.Directory
            $mailbox = Get-Mailbox tonysmith
            $ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'
            Set-UMMailboxPIN tonysmith -PassThru | ForEach-Object PrimarySmtpAddress
            Set-UMMailboxPIN $mailbox -PassThru | ForEach-Object PrimarySmtpAddress
            $mailbox | Set-UMMailboxPIN 2>&1 | ForEach-Object FullyQualifiedErrorId
        }
        $run.Output | Should -Be @('tonysmith@contoso.com', 'tonysmith@contoso.com',
            'ParameterArgumentTransformationError,Set-UMMailboxPIN')
    }

    It 'says with -Verbose which mailboxes an ambiguous value matches' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN helpdesk@contoso.com -Verbose -ErrorAction SilentlyContinue }
        $run.Text | Should -Match 'contoso\.com/Reception/Help Desk'
        $run.Text | Should -Match 'contoso\.com/Sales/Miller, Ben'
    }
}
