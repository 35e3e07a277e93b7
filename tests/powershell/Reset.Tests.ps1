BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe 'The examples of the original documentation' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'Set-UMMailboxPIN -Identity tonysmith@contoso.com' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN -Identity tonysmith@contoso.com
            Get-UMMailboxPIN tonysmith@contoso.com
        }
        $run.All | Should -BeNullOrEmpty
        @($run.Output).Count | Should -Be 1
        $run.Output[0].PinExpired | Should -BeTrue
        $run.Output[0].LockedOut | Should -BeFalse
        $message = @(Get-Message $script:Store)
        $message.Count | Should -Be 1
        $message[0] | Should -Match '(?m)^To: .*tonysmith@contoso\.com'
        $message[0] | Should -Match '(?m)^\d{6}\r?$'
    }

    It 'Set-UMMailboxPIN -Identity tonysmith@contoso.com -Pin 1985848 -PinExpired $true' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN -Identity tonysmith@contoso.com -Pin 1985848 -PinExpired $true
            Get-UMMailboxPIN tonysmith@contoso.com
        }
        $run.All | Should -BeNullOrEmpty
        @($run.Output).Count | Should -Be 1
        $run.Output[0].PinExpired | Should -BeTrue
        @(Get-Message $script:Store)[0] | Should -Match '(?m)^1985848\r?$'
    }

    It 'Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $true' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $true
            Get-UMMailboxPIN tonysmith@contoso.com
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output[0].LockedOut | Should -BeTrue
        Get-MessageCount $script:Store | Should -Be 1
    }

    It 'Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $false' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $true
            Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $false
            Get-UMMailboxPIN tonysmith@contoso.com
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output[0].LockedOut | Should -BeFalse
        Get-MessageCount $script:Store | Should -Be 2
    }
}

Describe 'A reset' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'unlocks a locked mailbox when -LockedOut is not given' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -LockedOut $true
            Set-UMMailboxPIN tonysmith
            (Get-UMMailboxPIN tonysmith).LockedOut
        }
        $run.Output | Should -Be @($false)
    }

    It 'honours -PinExpired $false for a generated PIN' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -PinExpired $false
            (Get-UMMailboxPIN tonysmith).PinExpired
        }
        $run.Output | Should -Be @($false)
    }

    It 'generates a PIN when -Pin is <Name>' -ForEach @(@{ Name = 'empty'; Pin = '' }, @{ Name = 'null'; Pin = $null }) {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Pin = $Pin } {
            Set-UMMailboxPIN tonysmith -Pin $V.Pin -PassThru | Select-Object PinGenerated
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output[0].PinGenerated | Should -BeTrue
    }

    It 'returns a generated PIN as SecureString with -PassThru, the one that was mailed' {
        $run = Invoke-Fresh -Store $script:Store {
            $result = Set-UMMailboxPIN tonysmith -PassThru
            $plain = (New-Object System.Net.NetworkCredential '', $result.Pin).Password
            [pscustomobject] @{
                Type = $result.Pin.GetType().Name; Digits = $plain; Identity = $result.Identity; TypeName = $result.PSObject.TypeNames[0]
                Smtp = $result.PrimarySmtpAddress; Expired = $result.PinExpired; Locked = $result.LockedOut
            }
        }
        $result = $run.Output[0]
        $result.Type | Should -Be 'SecureString'
        $result.TypeName | Should -Be 'UMMailboxPin.ResetResult'
        $result.Digits | Should -Match '^\d{6}$'
        $result.Identity | Should -Be 'contoso.com/Sales/Tony Smith'
        $result.Smtp | Should -Be 'tonysmith@contoso.com'
        $result.Expired | Should -BeTrue
        $result.Locked | Should -BeFalse
        @(Get-Message $script:Store)[0] | Should -Match "(?m)^$($result.Digits)\r?$"
    }

    It 'does not return a PIN that was given' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN tonysmith -Pin 739155 -PassThru }
        $run.Output[0].Pin | Should -BeNullOrEmpty
        $run.Output[0].PinGenerated | Should -BeFalse
    }

    It 'keeps leading zeros of a PIN given as text' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN tonysmith -Pin '0073915' }
        $run.All | Should -BeNullOrEmpty
        @(Get-Message $script:Store)[0] | Should -Match '(?m)^0073915\r?$'
    }

    It 'leaves PIN and mailbox alone with -KeepPin but for the lock' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false
            Set-UMMailboxPIN tonysmith -LockedOut $true -KeepPin
            (Get-UMMailboxPIN tonysmith).LockedOut
            Set-UMMailboxPIN tonysmith -LockedOut $false -KeepPin
            $state = Get-UMMailboxPIN tonysmith
            $state.LockedOut
            $state.PinExpired
            # Still the current PIN: the policy refuses it as used before.
            Set-UMMailboxPIN tonysmith -Pin 739155 -ErrorVariable problem -ErrorAction SilentlyContinue
            $problem[0].Exception.Data['Rules'] -join ','
        }
        $run.Output | Should -Be @($true, $false, $false, 'History')
        Get-MessageCount $script:Store | Should -Be 1
    }

    It 'refuses -KeepPin together with <Name>' -ForEach @(
        @{ Name = '-Pin'; Extra = @{ Pin = '739155' } }
        @{ Name = '-NotifyEmail'; Extra = @{ NotifyEmail = 'desk@contoso.com' } }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Extra = $Extra } {
            $extra = $V.Extra
            Set-UMMailboxPIN tonysmith -KeepPin @extra -ErrorVariable problem -ErrorAction SilentlyContinue
            $problem.FullyQualifiedErrorId
        }
        $run.Output | Should -Be @('InvalidParameterCombination,Set-UMMailboxPIN')
        Get-MessageCount $script:Store | Should -Be 0
    }
}

Describe 'The message' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'goes to -NotifyEmail instead of the mailbox' {
        $run = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN tonysmith -NotifyEmail desk@fabrikam.com }
        $run.All | Should -BeNullOrEmpty
        $message = @(Get-Message $script:Store)
        $message.Count | Should -Be 1
        $message[0] | Should -Match '(?m)^To: .*desk@fabrikam\.com'
        $message[0] | Should -Not -Match '(?m)^To: .*tonysmith@contoso\.com'
    }

    It 'goes to the mailbox when -NotifyEmail is blank' {
        $null = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN tonysmith -NotifyEmail ' ' }
        @(Get-Message $script:Store)[0] | Should -Match '(?m)^To: .*tonysmith@contoso\.com'
    }

    It 'refuses the address <Address> before anything changes' -ForEach @(
        @{ Address = 'not an address' }, @{ Address = 'a@contoso.com,b@contoso.com' }, @{ Address = "a@contoso.com`r`nBcc: b@contoso.com" }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Address = $Address } {
            Set-UMMailboxPIN tonysmith -NotifyEmail $V.Address -ErrorVariable problem -ErrorAction SilentlyContinue
            $problem.FullyQualifiedErrorId
            $problem[0].CategoryInfo.Reason
            (Get-UMMailboxPIN tonysmith).FirstTimeUser
        }
        $run.Output[0] | Should -Be 'InvalidNotifyEmail,Set-UMMailboxPIN'
        $run.Output[1] | Should -Be 'InvalidNotifyEmailException'
        Get-MessageCount $script:Store | Should -Be 0
    }

    It 'is not sent with -SendEmail $false, and one warning says that nobody knows the PIN' {
        $run = Invoke-Fresh -Store $script:Store {
            'tonysmith', 'amyalberts' | Set-UMMailboxPIN -SendEmail $false -WarningVariable warned -WarningAction SilentlyContinue
            @($warned).Count
        }
        $run.Output | Should -Be @(1)
        Get-MessageCount $script:Store | Should -Be 0
    }

    It 'needs no such warning with <Name>' -ForEach @(
        @{ Name = '-PassThru'; Extra = @{ PassThru = $true } }, @{ Name = '-Pin'; Extra = @{ Pin = '739155' } }
        @{ Name = '-KeepPin'; Extra = @{ KeepPin = $true } }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Extra = $Extra } {
            Set-UMMailboxPIN tonysmith
            $extra = $V.Extra
            $null = Set-UMMailboxPIN tonysmith -SendEmail $false @extra -WarningVariable warned
            @($warned).Count
        }
        $run.Output | Should -Be @(0)
    }

    It 'has a warning for -NotifyEmail with -SendEmail $false' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -SendEmail $false -NotifyEmail desk@fabrikam.com -WarningVariable warned -WarningAction SilentlyContinue
            $warned.Message
        }
        @($run.Output).Count | Should -Be 1
        $run.Output[0] | Should -Match 'NotifyEmail'
    }

    It 'has one warning for -DomainController per pipeline, where there are none' {
        $run = Invoke-Fresh -Store $script:Store {
            'tonysmith', 'amyalberts' | Set-UMMailboxPIN -DomainController dc1.contoso.com -WarningVariable warned -WarningAction SilentlyContinue
            @($warned).Count
        }
        $run.Output | Should -Be @(Select-ByDirectory -Embedded 1 -ActiveDirectory 0)
        Get-MessageCount $script:Store | Should -Be 2
    }
}
