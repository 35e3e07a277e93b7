BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'An object whose GUID is unknown here' {
    It 'is found by its other names: <Name>' -ForEach @(
        @{ Name = 'a mailbox of Exchange by its DN'; Properties = @{ DistinguishedName = 'CN=Tony Smith,OU=Sales,DC=contoso,DC=com'; Alias = 'elsewhere' } }
        @{ Name = 'a mailbox of Exchange by its address'; Properties = @{ DistinguishedName = 'CN=Tony,OU=cloud,DC=fabrikam,DC=com'; Identity = 'Tony'; PrimarySmtpAddress = 'tonysmith@contoso.com' } }
        @{ Name = 'a mailbox of Exchange by its alias'; Properties = @{ Alias = 'tonysmith' } }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Properties = $Properties } {
            $properties = $V.Properties
            $properties['Guid'] = [guid] '0f6f0b8e-2222-4000-8000-000000000001'
            $mailbox = [pscustomobject] $properties
            $row = [pscustomobject] $properties
            $mailbox.PSObject.TypeNames.Insert(0, 'Deserialized.Microsoft.Exchange.Data.Directory.Management.Mailbox')
            $selected = $mailbox | Select-Object -Property @($properties.Keys)
            foreach ($item in $mailbox, $selected, $row) {
                foreach ($command in 'Get-Mailbox', 'Get-UMMailbox', 'Get-UMMailboxPIN') { ($item | & $command).Identity }
                $reset = $item | Set-UMMailboxPIN -PassThru -SendEmail $false
                $reset.Identity
                ($item | Test-UMMailboxPIN -Pin $reset.Pin).Outcome
                ($item | Lock-UMMailbox -PassThru).Identity
                ($item | Unlock-UMMailbox -PassThru).Identity
                @($item | Get-UMPinNotification).Count
                $item | Send-UMPinNotification
                @($item | Get-UMPinAudit | Select-Object -ExpandProperty Target -Unique)
                Set-UMMailboxPIN $item -PassThru -SendEmail $false | ForEach-Object Identity
            }
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $tony = 'contoso.com/Sales/Tony Smith'
        $run.Output | Should -Be (@($tony, $tony, $tony, $tony, 'ChangeRequired', $tony, $tony, 0, $tony, $tony) * 3)
    }

    It 'is told with all its names where none is known' {
        $run = Invoke-Fresh -Store $script:Store {
            [pscustomobject] @{ Guid = [guid] '0f6f0b8e-2222-4000-8000-000000000001'; Alias = 'nobody' } |
                Set-UMMailboxPIN -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem.FullyQualifiedErrorId
            $problem[0].Exception.Message
        }
        $run.Output[0] | Should -Be 'ManagementObjectNotFound,Set-UMMailboxPIN'
        $run.Output[1] | Should -Match '^No mailbox "0f6f0b8e-2222-4000-8000-000000000001" or "nobody" was found in '
    }
}

Describe 'A number as an identity' {
    # Imports mailboxes of its own.
    It 'is what was typed, for every command' -Tag Embedded {
        $store = New-TestFolder
        try {
            $run = Invoke-Fresh -Store $store {
                Set-Content "$Work/numbers.csv" -Value @(
                    'DistinguishedName,Name,Alias,PrimarySmtpAddress,UMEnabled,UMMailboxPolicy'
                    '"CN=Forty-two,DC=contoso,DC=com",Forty-two,42,fortytwo@contoso.com,True,Default'
                    '"CN=Zero,DC=contoso,DC=com",Zero,0042,zero@contoso.com,True,Default'
                    '"CN=Hex,DC=contoso,DC=com",Hex,0x2A,hex@contoso.com,True,Default')
                Import-UMDirectory "$Work/numbers.csv" -WarningAction SilentlyContinue
                (Get-Mailbox 0042).Name
                (Get-UMMailbox -Identity 0042).Name
                (Get-UMMailboxPIN 0042).UserID
                (Set-UMMailboxPIN 0042 -Pin 739155 -PassThru).PrimarySmtpAddress
                (Set-UMMailboxPIN -Identity:0x2A -PassThru).PrimarySmtpAddress
                (Test-UMMailboxPIN 0042 739155).PrimarySmtpAddress
                (Lock-UMMailbox 0042 -PassThru).PrimarySmtpAddress
                (Unlock-UMMailbox 0042 -PassThru).PrimarySmtpAddress
                Get-UMPinAudit 0042 | Select-Object -ExpandProperty Target -Unique
                $number = 0042
                (Get-Mailbox $number).Name
                ($number | Get-Mailbox).Name
            }
            $run.ErrorText | Should -BeNullOrEmpty
            $run.Output | Should -Be @('Zero', 'Zero', 'zero@contoso.com', 'zero@contoso.com', 'hex@contoso.com', 'zero@contoso.com',
                'zero@contoso.com', 'zero@contoso.com', 'contoso.com/Zero', 'Forty-two', 'Forty-two')
        }
        finally { Remove-TestFolder $store }
    }
}

Describe 'Namesakes' {
    # Imports mailboxes without a place in the tree, which have the same Identity.
    It 'are told apart by what Get-UMMailboxPIN writes, also through a file' -Tag Embedded {
        $store = New-TestFolder
        try {
            $run = Invoke-Fresh -Store $store {
                Set-Content "$Work/namesakes.csv" -Value @(
                    'Name,Alias,UserPrincipalName,PrimarySmtpAddress,UMEnabled,UMMailboxPolicy'
                    'Yan Li,yanli,yanli@contoso.com,yanli@contoso.com,True,Default'
                    'Yan Li,yanli2,yanli2@contoso.com,yanli2@contoso.com,True,Default')
                Import-UMDirectory "$Work/namesakes.csv" -WarningAction SilentlyContinue
                (Get-UMMailboxPIN | Set-UMMailboxPIN -PassThru -SendEmail $false).PrimarySmtpAddress | Sort-Object
                Get-UMMailboxPIN | Export-Csv "$Work/states.csv" -NoTypeInformation
                (Import-Csv "$Work/states.csv" | Set-UMMailboxPIN -PassThru -SendEmail $false).PrimarySmtpAddress | Sort-Object
                (Get-UMMailboxPIN | Select-Object Identity, UserObjectId | Get-Mailbox).Alias | Sort-Object
                Set-UMMailboxPIN 'Yan Li' -ErrorAction SilentlyContinue -ErrorVariable problem
                $problem.FullyQualifiedErrorId
            }
            $run.ErrorText | Should -BeNullOrEmpty
            $run.Output | Should -Be @('yanli@contoso.com', 'yanli2@contoso.com', 'yanli@contoso.com', 'yanli2@contoso.com',
                'yanli', 'yanli2', 'ManagementObjectAmbiguous,Set-UMMailboxPIN')
        }
        finally { Remove-TestFolder $store }
    }
}
