BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'The error of <Id>' -ForEach @(
    @{ Id = 'ManagementObjectNotFound'; Block = 'Set-UMMailboxPIN nobody@contoso.com'; Class = 'ManagementObjectNotFoundException'; Category = 'ObjectNotFound'; Target = 'nobody@contoso.com'; Text = 'nobody@contoso\.com' }
    @{ Id = 'ManagementObjectAmbiguous'; Block = 'Set-UMMailboxPIN helpdesk@contoso.com'; Class = 'ManagementObjectAmbiguousException'; Category = 'InvalidArgument'; Target = 'helpdesk@contoso.com'; Text = '2' }
    @{ Id = 'MailboxNotUMEnabled'; Block = 'Set-UMMailboxPIN ryoung'; Class = 'MailboxNotUMEnabledException'; Category = 'InvalidOperation'; Target = 'ryoung'; Text = 'Rob Young' }
    @{ Id = 'InvalidNotifyEmail'; Block = 'Set-UMMailboxPIN tonysmith -NotifyEmail nonsense'; Class = 'InvalidNotifyEmailException'; Category = 'InvalidArgument'; Target = 'tonysmith'; Text = '.' }
    @{ Id = 'InvalidIdentity'; Block = 'Set-UMMailboxPIN ""'; Class = 'InvalidIdentityException'; Category = 'InvalidArgument'; Target = ''; Text = 'Identity' }
    @{ Id = 'InvalidParameterCombination'; Block = 'Set-UMMailboxPIN tonysmith -IgnoreDefaultScope'; Class = 'InvalidParameterCombinationException'; Category = 'InvalidArgument'; Target = 'tonysmith'; Text = 'IgnoreDefaultScope' }
    @{ Id = 'PinPolicyViolation'; Block = 'Set-UMMailboxPIN tonysmith -Pin 4271'; Class = 'PinPolicyViolationException'; Category = 'InvalidData'; Target = 'tonysmith'; Text = 'TooShort.*Extension' }
) {
    It 'has its id, class, category, target and recommended action, and is one' {
        $run = Invoke-Fresh -Store $script:Store -Script ([scriptblock]::Create(@"
            `$Error.Clear()
            $Block -ErrorAction SilentlyContinue -ErrorVariable problem
            [pscustomobject] @{
                Count = `$Error.Count; Id = `$problem[0].FullyQualifiedErrorId; Reason = `$problem[0].CategoryInfo.Reason
                Category = "`$(`$problem[0].CategoryInfo.Category)"; Activity = `$problem[0].CategoryInfo.Activity; Target = `$problem[0].TargetObject
                Class = `$problem[0].Exception.GetType().FullName; Message = `$problem[0].Exception.Message
                Action = `$problem[0].ErrorDetails.RecommendedAction; Line = `$problem[0].InvocationInfo.Line
            }
"@))
        $problem = $run.Output[0]
        $problem.Count | Should -Be 1
        $problem.Id | Should -Be "$Id,Set-UMMailboxPIN"
        $problem.Reason | Should -Be $Class
        $problem.Class | Should -Be "UMMailboxPin.$Class"
        $problem.Category | Should -Be $Category
        $problem.Activity | Should -Be 'Set-UMMailboxPIN'
        $problem.Target | Should -Be $Target
        $problem.Message | Should -Match $Text
        $problem.Action | Should -Match '^[A-Z].*\.$'
        $problem.Line | Should -Match 'Set-UMMailboxPIN'
    }
}

Describe 'A mailbox that is not UM-enabled' {
    It 'is advised by the column to set' -Tag Embedded {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN ryoung -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem[0].ErrorDetails.RecommendedAction
        }
        $run.Output | Should -Match 'set it to true in the column UMEnabled of the CSV file'
    }
}

Describe 'A broken policy' {
    It 'names every broken rule, in the message and as data' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 4271 -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem[0].Exception.Data['Rules'] -join ','
        }
        $run.Output | Should -Be @('TooShort,Extension')
    }
}

Describe '-ErrorAction' {
    It 'Stop stops a script that has no try' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN nobody -ErrorAction Stop; 'went on' }
        $run.Output | Should -BeNullOrEmpty
        $run.ErrorText | Should -Match 'nobody'
    }

    It 'Continue goes on with the next statement' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN nobody -ErrorAction Continue; 'went on' }
        $run.Output | Should -Be @('went on')
        $run.ErrorText | Should -Match 'nobody'
    }

    It 'Inquire asks, and H stops' {
        $run = Invoke-Fresh -Store $script:Store -Answers "H`n" { Set-UMMailboxPIN nobody -ErrorAction Inquire; 'went on' }
        $run.Output | Should -BeNullOrEmpty
    }
}

Describe 'What no later item could survive' {
    It 'is one terminating error, whatever the number of items: <Name>' -ForEach @(
        @{ Name = 'no store'; Id = 'DirectoryUnavailable'; Setup = '' }
        @{ Name = 'an unknown key in the configuration'; Id = 'ConfigurationInvalid'; Setup = 'Set-Content "$env:UMPIN_HOME/umpin.json" "{ ""directroy"": 1 }"' }
    ) {
        $folder = New-TestFolder
        try {
            $run = Invoke-Fresh -Store $folder -Script ([scriptblock]::Create(@"
                $Setup
                `$Error.Clear()
                try { 'a', 'b', 'c' | Set-UMMailboxPIN -ErrorAction SilentlyContinue } catch { `$_.FullyQualifiedErrorId }
                `$Error.Count
"@))
            $run.Output | Should -Be @("$Id,Set-UMMailboxPIN", 1)
        }
        finally { Remove-TestFolder $folder }
    }
}
