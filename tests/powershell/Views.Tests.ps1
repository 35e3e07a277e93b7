BeforeDiscovery {
    $widths = 79, 80, 100, 120 | ForEach-Object { @{ Width = $_ } }
    $formats = foreach ($module in 'UMMailboxPin', 'UMMailboxPin.Directory') { @{ Module = $module } }
}
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
    # Keys: command and width. The last two have texts that are longer than any column.
    $script:Run = Invoke-Fresh -Store $script:Store -Variables @{ Support = [System.IO.Path]::Combine($PSScriptRoot, 'Support') } {
        Import-Module UMMailboxPin.Directory
        . ([System.IO.Path]::Combine($V.Support, 'QueuedMessages.ps1'))
        Set-UMMailboxPIN tonysmith -Pin 580291 -PinExpired $false
        $objects = [ordered] @{
            Rejected = Test-UMMailboxPIN tonysmith -Pin 739155
            Accepted = Test-UMMailboxPIN tonysmith -Pin 580291
            Reset    = Set-UMMailboxPIN kakers -PassThru
            Pin      = Get-UMMailboxPIN tonysmith
            Mailbox  = Get-Mailbox tonysmith
            UM       = Get-UMMailbox tonysmith
            Policy   = Get-UMMailboxPolicy
        }
        $null = Add-QueuedMessage 'tonysmith'
        $objects['Queued'] = Get-UMPinNotification | Select-Object -First 1
        $objects['Sent'] = Send-UMPinNotification tonysmith -PassThru
        $objects['Audit'] = Get-UMPinAudit -Cmdlet Test-UMMailboxPIN | Select-Object -First 1
        $shown = @{}
        foreach ($name in $objects.Keys) {
            foreach ($width in 79, 80, 100, 120) { $shown["$name $width"] = $objects[$name] | Out-String -Width $width }
        }
        $shown['Reset list'] = $objects['Reset'] | Format-List | Out-String -Width 100
        $audit = Get-UMPinAudit
        $shown['Audit list'] = $audit | Format-List | Out-String -Width 300
        $shown['Audit CSV'] = $audit | ConvertTo-Csv -NoTypeInformation | Out-String -Width 4096
        $shown['Audit member'] = @($audit | Where-Object Cmdlet -EQ 'Test-UMMailboxPIN')[0].Result.failures
        $shown['LastError'] = $objects['Queued'].LastError
        $nested = [UMMailboxPin.CommandRuntime].Assembly.GetType('UMMailboxPin.RecordText').GetMethod('Of')
        $shown['Nested'] = $nested.Invoke($null, @([psobject] [pscustomobject] @{ after = [pscustomobject] @{ MinPINLength = 6; Rules = [object[]] @('TooShort', 'History') }; none = $null }))
        $shown
    }
    $script:Shown = $script:Run.Output[0]
}
AfterAll { Remove-TestFolder $script:Store }

# The objects and their views are the same on every directory.
Describe 'The tables' -Tag Embedded {
    It 'show at <Width> columns every header and every value that tells one mailbox and outcome from another' -ForEach $widths {
        $expected = @{
            Rejected = 'Identity', 'Outcome', 'AttemptsUntilReset', 'PinExpiresOn', 'contoso.com/Sales/Tony Smith', 'Rejected'
            Accepted = 'Identity', 'Outcome', 'AttemptsUntilReset', 'PinExpiresOn', 'contoso.com/Sales/Tony Smith', 'Accepted'
            Reset    = 'Identity', 'PinExpired', 'LockedOut', 'Notification', 'PinGenerated', 'contoso.com/Engineering/Kim', 'sent'
            Pin      = 'UserID', 'PinExpired', 'LockedOut', 'FirstTimeUser', 'tonysmith@contoso.com'
            Mailbox  = 'Name', 'Alias', 'UMEnabled', 'PrimarySmtpAddress', 'Tony Smith', 'tonysmith@contoso.com'
            UM       = 'Name', 'UMMailboxPolicy', 'Extensions', 'PrimarySmtpAddress', 'Tony Smith', 'tonysmith@contoso.com'
            Policy   = 'Name', 'MinPINLength', 'PINLifetime', 'PINHistoryCount', 'MaxLogonAttempts', 'Default'
            Queued   = 'Identity', 'State', 'Attempts', 'LastError', 'contoso.com/Sales/Tony Smith', 'Queued'
            Sent     = 'Identity', 'Outcome', 'Attempts', 'Reason', 'contoso.com/Sales/Tony Smith', 'Sent'
            Audit    = 'Date', 'Action', 'Succeeded', 'Outcome', 'Target', 'SignInFailure', 'True'
        }
        foreach ($name in $expected.Keys) {
            $text = $script:Shown["$name $Width"]
            foreach ($one in $expected[$name]) {
                $text | Should -Match "(?<!\S)$([regex]::Escape($one))(?!\S)" -Because "$name at $Width columns is $text $($script:Run.All)"
            }
            $text | Should -Not -Match ([char] 0x2026) -Because $name
            $text | Should -Not -Match 'System\.' -Because $name
            @($text -split '\r?\n' | Where-Object Length -GT $Width) | Should -BeNullOrEmpty -Because $name
        }
        # Wrapped, and whole.
        $whole = $script:Shown["Queued $Width"] -replace '\s'
        $whole | Should -Match '^Identity'
        # PowerShell breaks lines within words.
        $whole | Should -Match "$([regex]::Escape(($script:Shown['LastError'] -replace '\s')))$"
    }

    It 'of <Module> have widths that fit, and headers that fit them' -ForEach $formats {
        $path = [System.IO.Path]::Combine((Get-StagedPath), $Module, "$Module.Format.ps1xml")
        $tables = @(([xml] [System.IO.File]::ReadAllText($path)).SelectNodes('//View[TableControl]'))
        $tables.Count | Should -BeGreaterThan 2
        foreach ($table in $tables) {
            $columns = @($table.SelectNodes('.//TableColumnHeader'))
            $sum = $columns.Count - 1
            for ($i = 0; $i -lt $columns.Count; $i++) {
                $label = $columns[$i].SelectSingleNode('Label').InnerText
                $width = $columns[$i].SelectSingleNode('Width')
                if ($width) {
                    [int] $width.InnerText | Should -BeGreaterOrEqual $label.Length -Because "$($table.Name): $label"
                    $sum += [int] $width.InnerText
                }
                else {
                    $i | Should -Be ($columns.Count - 1) -Because "$($table.Name): only the last column may lack a width, and $label does"
                    $sum += [math]::Max(15, $label.Length)
                }
            }
            # PowerShell leaves the last column of a console free.
            $sum | Should -BeLessOrEqual 79 -Because $table.Name
            $table.SelectSingleNode('.//TableRowEntry/Wrap') | Should -Not -BeNullOrEmpty -Because $table.Name
        }
    }
}

Describe 'The audit' -Tag Embedded {
    It 'has its result and details as text in a list and in a CSV file, and as members for scripts' {
        $script:Shown['Audit list'] | Should -Match '(?m)^Result +: failures=1\s*$'
        $script:Shown['Audit list'] | Should -Match '(?m)^Outcome +: Succeeded\s*$'
        $script:Shown['Audit CSV'] | Should -Match '"failures=1"'
        $script:Shown['Audit CSV'] + $script:Shown['Audit list'] | Should -Not -Match 'System\.|@\{|PSCustomObject|UMMailboxPin\.[A-Z]'
        $script:Shown['Audit member'] | Should -Be 1
    }

    It 'shows nested members and lists whole' {
        $script:Shown['Nested'] | Should -Match 'after=\('
        $script:Shown['Nested'] | Should -Match 'MinPINLength=6'
        $script:Shown['Nested'] | Should -Match 'Rules=TooShort, History'
    }
}

Describe 'The result of a reset' -Tag Embedded {
    It 'shows in a list that a PIN was generated, and no name of a type' {
        $script:Shown['Reset list'] | Should -Match '(?m)^PinGenerated +: True'
        $script:Shown['Reset list'] | Should -Not -Match 'System\.'
    }
}
