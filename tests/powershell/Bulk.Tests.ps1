BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe '-ThrottleLimit' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'keeps the order of the input, errors included' {
        $run = Invoke-Fresh -Store $script:Store {
            'tonysmith', 'nobody', 'amyalberts', 'ryoung', 'ppinilla', 'zmueller', 'tonysmith' |
                Set-UMMailboxPIN -ThrottleLimit 4 -PassThru 2>&1 |
                ForEach-Object { if ($_ -is [System.Management.Automation.ErrorRecord]) { $_.TargetObject } else { $_.PrimarySmtpAddress } }
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith@contoso.com', 'nobody', 'amyalberts@contoso.com', 'ryoung', 'ppinilla@contoso.com',
            'zmueller@contoso.com', 'tonysmith@contoso.com')
        Get-MessageCount $script:Store | Should -Be 5
    }

    It 'is silent on success and reaches every mailbox' {
        $run = Invoke-Fresh -Store $script:Store {
            Get-UMMailbox -ResultSize Unlimited | Set-UMMailboxPIN -ThrottleLimit 8 -PinExpired $false
            @(Get-UMMailboxPIN | Where-Object PinExpired).Count
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @(0)
    }

    It 'ends at an error that stops, with all that was accepted before it finished' {
        $run = Invoke-Fresh -Store $script:Store {
            try {
                'tonysmith', 'amyalberts', 'nobody' | Set-UMMailboxPIN -ThrottleLimit 2 -PinExpired $false -ErrorAction Stop
                'not reached'
            }
            catch { $_.FullyQualifiedErrorId }
            'tonysmith', 'amyalberts' | Get-UMMailboxPIN | ForEach-Object PinExpired
        }
        $run.Output | Should -Be @('ManagementObjectNotFound,Set-UMMailboxPIN', $false, $false)
        Get-MessageCount $script:Store | Should -Be 2
    }

    It 'finishes what was accepted when a command upstream fails and the process ends' {
        $null = Invoke-Fresh -Store $script:Store {
            'tonysmith', 'amyalberts', 'boom', 'ppinilla' | ForEach-Object { if ($_ -eq 'boom') { throw 'upstream' }; $_ } |
                Set-UMMailboxPIN -ThrottleLimit 2
        }
        Get-MessageCount $script:Store | Should -Be 2
    }

    It 'can come from $PSDefaultParameterValues' {
        $run = Invoke-Fresh -Store $script:Store {
            $PSDefaultParameterValues = @{ 'Set-UMMailboxPIN:ThrottleLimit' = 4 }
            'tonysmith', 'amyalberts' | Set-UMMailboxPIN
        }
        $run.All | Should -BeNullOrEmpty
        Get-MessageCount $script:Store | Should -Be 2
    }

    It 'submits nothing with -WhatIf' {
        $run = Invoke-Fresh -Store $script:Store { 'tonysmith', 'nobody', 'amyalberts' | Set-UMMailboxPIN -ThrottleLimit 4 -WhatIf -ErrorAction SilentlyContinue }
        @($run.Text -split '\r?\n' | Where-Object { $_ -match '^What if: ' }).Count | Should -Be 2
        Get-MessageCount $script:Store | Should -Be 0
    }

    It 'ends early with Select-Object -First' {
        $run = Invoke-Fresh -Store $script:Store {
            'tonysmith', 'amyalberts', 'ppinilla' | Set-UMMailboxPIN -PassThru | Select-Object -First 1 | ForEach-Object PrimarySmtpAddress
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith@contoso.com')
        Get-MessageCount $script:Store | Should -Be 1
    }
}

Describe 'A stop from outside, as by Ctrl+C' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'ends the pipeline soon and leaves nothing half done <Name>' -ForEach @(
        @{ Name = 'one by one'; Parameters = @{} }
        @{ Name = 'in parallel'; Parameters = @{ ThrottleLimit = 4 } }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Parameters = $Parameters } {
            $pickup = [System.IO.Path]::Combine($env:UMPIN_HOME, 'pickup')
            function Get-Count { @(Get-ChildItem -Path $pickup -Filter *.eml -ErrorAction Ignore).Count }
            $shell = [powershell]::Create()
            $null = $shell.AddScript('param($More) Get-UMMailbox | ForEach-Object { $_; Start-Sleep -Milliseconds 100 } | Set-UMMailboxPIN @More')
            $null = $shell.AddArgument($V.Parameters).BeginInvoke()
            while ((Get-Count) -lt 2) { Start-Sleep -Milliseconds 20 }
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            $clock.ElapsedMilliseconds
            Get-Count
            Start-Sleep -Milliseconds 500
            Get-Count
            @(Get-UMMailbox).Count
            # The session goes on.
            Set-UMMailboxPIN tonysmith
            Get-Count
        }
        $run.All | Should -BeNullOrEmpty
        $stopped, $then, $later, $all, $after = $run.Output
        $stopped | Should -BeLessThan 5000
        $later | Should -Be $then
        $later | Should -BeLessThan $all
        $after | Should -Be ($later + 1)
    }
}
