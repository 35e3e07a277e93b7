BeforeDiscovery {
    $read = @(
        @{ Culture = 'de-DE'; Text = '12.11.2026'; Date = '2026-11-12T00:00:00' }
        @{ Culture = 'de-DE'; Text = '12.11.2026 08:30'; Date = '2026-11-12T08:30:00' }
        @{ Culture = 'en-GB'; Text = '29/11/2026'; Date = '2026-11-29T00:00:00' }
        @{ Culture = 'en-GB'; Text = '12/11/2026'; Date = '2026-11-12T00:00:00' }
        @{ Culture = 'en-US'; Text = '12/11/2026 8:30 PM'; Date = '2026-12-11T20:30:00' }
        @{ Culture = 'ja-JP'; Text = '2026/11/12'; Date = '2026-11-12T00:00:00' }
        @{ Culture = 'de-DE'; Text = '2026-11-12'; Date = '2026-11-12T00:00:00' }
        @{ Culture = 'en-US'; Text = '2026-11-12T08:30'; Date = '2026-11-12T08:30:00' }
        @{ Culture = 'en-GB'; Text = '20261112'; Date = '2026-11-12T00:00:00' }
        # The year of an ISO date is no Buddhist one.
        @{ Culture = 'th-TH'; Text = '2026-11-12'; Date = '2026-11-12T00:00:00' }
        @{ Culture = 'th-TH'; Text = '12/11/2569'; Date = '2026-11-12T00:00:00' }
    )
    $refused = @(
        @{ Culture = 'en-US'; Text = '29/11/2026' }
        @{ Culture = 'de-DE'; Text = '11/29/2026' }
        @{ Culture = 'de-DE'; Text = 'tomorrow' }
        @{ Culture = 'de-DE'; Text = '' }
        @{ Culture = 'de-DE'; Text = '2026' }
        @{ Culture = 'en-GB'; Text = '2026-13-01' }
    )
}
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
    $script:Run = Invoke-Fresh -Store $script:Store {
        Import-Module UMMailboxPin
        # That both parameters read dates in this way is asked of their attributes; how dates are read, of a function that shows them.
        $kinds = foreach ($name in 'StartDate', 'EndDate') {
            (Get-Command Get-UMPinAudit).Parameters[$name].Attributes | Where-Object { $_.GetType().FullName -eq 'UMMailboxPin.DateTransformationAttribute' }
        }
        @($kinds).Count
        function Test-Date {
            [CmdletBinding()]
            param([UMMailboxPin.DateTransformation()] [datetime] $Date)
            $Date
        }
        $answers = @{}
        foreach ($culture in 'de-DE', 'en-GB', 'en-US', 'ja-JP', 'th-TH') {
            [System.Threading.Thread]::CurrentThread.CurrentCulture = [cultureinfo] $culture
            foreach ($text in '12.11.2026', '12.11.2026 08:30', '29/11/2026', '12/11/2026', '12/11/2026 8:30 PM', '2026/11/12', '2026-11-12', '2026-11-12T08:30',
                '20261112', '12/11/2569', '11/29/2026', 'tomorrow', '', '2026', '2026-13-01', 'today', 'YESTERDAY') {
                $answers["$culture $text"] = try { (Test-Date -Date $text).ToString('s', [cultureinfo]::InvariantCulture) } catch { "$($_.FullyQualifiedErrorId): $_" }
            }
        }
        [System.Threading.Thread]::CurrentThread.CurrentCulture = [cultureinfo] 'de-DE'
        $answers['today'] = (Get-Date).Date.ToString('s', [cultureinfo]::InvariantCulture)
        $answers['yesterday'] = (Get-Date).Date.AddDays(-1).ToString('s', [cultureinfo]::InvariantCulture)
        $answers['literal'] = (Test-Date -Date 20261112).ToString('s', [cultureinfo]::InvariantCulture)
        $answers['zone'] = (Test-Date -Date '2026-11-12T08:30:00Z') -eq [datetime]::new(2026, 11, 12, 8, 30, 0, [System.DateTimeKind]::Utc).ToLocalTime()
        $answers['offset'] = (Test-Date -Date ([datetimeoffset] '2026-11-12T08:30:00Z')) -eq [datetime]::new(2026, 11, 12, 8, 30, 0, [System.DateTimeKind]::Utc).ToLocalTime()
        $answers['array'] = try { Test-Date -Date 'a', 'b' } catch { $_.FullyQualifiedErrorId }
        # The whole way: an entry of today is there from today on, and not before yesterday's end.
        Set-UMMailboxPIN tonysmith
        $answers['since'] = @(Get-UMPinAudit tonysmith -StartDate today).Count
        $answers['until'] = @(Get-UMPinAudit tonysmith -EndDate yesterday).Count
        $short = (Get-Date).AddDays(1).ToString('d')
        $answers['later'] = @(Get-UMPinAudit tonysmith -StartDate $short).Count
        $answers
    }
    $script:Answers = $script:Run.Output[1]
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'A date given as text' {
    It 'is read by both parameters of Get-UMPinAudit' {
        $script:Run.ErrorText | Should -BeNullOrEmpty
        $script:Run.Output[0] | Should -Be 2
    }

    It '<Text> under <Culture> is <Date>' -ForEach $read {
        $script:Answers["$Culture $Text"] | Should -Be $Date
    }

    It '"<Text>" under <Culture> is refused, and the message says what is understood' -ForEach $refused {
        $answer = $script:Answers["$Culture $Text"]
        $answer | Should -BeLike "ParameterArgumentTransformationError,Test-Date:*'$Text' is no date*$Culture*ISO 8601*today*yesterday*"
    }

    It 'may be today or yesterday' {
        $script:Answers['de-DE today'] | Should -Be $script:Answers['today']
        $script:Answers['en-US YESTERDAY'] | Should -Be $script:Answers['yesterday']
    }

    It 'may have a zone, be a number as typed, or a DateTimeOffset; a list is refused' {
        $script:Answers['literal'] | Should -Be '2026-11-12T00:00:00'
        $script:Answers['zone'] | Should -BeTrue
        $script:Answers['offset'] | Should -BeTrue
        $script:Answers['array'] | Should -Be 'ParameterArgumentTransformationError,Test-Date'
    }

    It 'limits what Get-UMPinAudit shows' {
        $script:Answers['since'] | Should -Be 1
        $script:Answers['until'] | Should -Be 0
        $script:Answers['later'] | Should -Be 0
    }
}
