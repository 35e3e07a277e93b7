BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe '-Confirm' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'answered <Answers> resets <Count> of three' -ForEach @(
        @{ Answers = 'Y N Y'; Count = 2 }, @{ Answers = 'A'; Count = 3 }, @{ Answers = 'N A'; Count = 2 }, @{ Answers = 'L'; Count = 0 }
        @{ Answers = 'Y L'; Count = 1 }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Answers (($Answers -split ' ' -join "`n") + "`n") {
            'tonysmith', 'amyalberts', 'ppinilla' | Set-UMMailboxPIN -Confirm
        }
        $run.All | Should -Match 'Are you sure'
        $run.All | Should -Match '"contoso\.com/Sales/Tony Smith"'
        Get-MessageCount $script:Store | Should -Be $Count
    }

    It 'checks everything before it asks' {
        $run = Invoke-Fresh -Store $script:Store -Answers "Y`n" {
            Set-UMMailboxPIN tonysmith -Pin 123456 -Confirm -ErrorAction SilentlyContinue -ErrorVariable problem
            $problem.FullyQualifiedErrorId
        }
        $run.All | Should -Not -Match 'Are you sure'
        $run.Output | Should -Be @('PinPolicyViolation,Set-UMMailboxPIN')
    }

    # Embedded: nothing is imported into Active Directory.
    It 'is answered for what it shows: <Name>' -Tag Embedded -ForEach @(
        @{ Name = 'another recipient'; From = ',tonysmith@contoso.com,SMTP:tonysmith@contoso.com'; To = ',tony@fabrikam.com,SMTP:tony@fabrikam.com'; Expected = 'TargetChanged,Set-UMMailboxPIN' }
        @{ Name = 'another name'; From = '"CN=Tony Smith,OU=Sales'; To = '"CN=Tony Smith,OU=Marketing'; Expected = 'TargetChanged,Set-UMMailboxPIN' }
        @{ Name = 'no Unified Messaging any more'; From = 'TRUE,4271'; To = 'FALSE,4271'; Expected = 'MailboxNotUMEnabled,Set-UMMailboxPIN' }
        @{ Name = 'another display name'; From = 'Tony Smith,Tony Smith,'; To = 'Tony Smith,Anton Smith,'; Expected = 'reset' }
    ) {
        $text = [System.IO.File]::ReadAllText((Get-Fixture 'contoso.csv'))
        $text | Should -Match ([regex]::Escape($From))
        $file = [System.IO.Path]::Combine($script:Store, 'meanwhile.csv')
        [System.IO.File]::WriteAllText($file, $text.Replace($From, $To))
        $answers = 'S', 'Import-UMDirectory $V.File -WarningAction SilentlyContinue', 'exit', 'Y', ''
        $run = Invoke-Fresh -Store $script:Store -Answers ($answers -join [Environment]::NewLine) -Variables @{ File = $file } {
            try { Set-UMMailboxPIN tonysmith -Confirm -ErrorAction Stop; 'reset' } catch { $_.FullyQualifiedErrorId }
        }
        $run.Output | Should -Be @($Expected) -Because $run.All
        Get-MessageCount $script:Store | Should -Be $(if ($Expected -eq 'reset') { 1 } else { 0 })
    }

    It 'is answered alike in a parallel run' {
        $run = Invoke-Fresh -Store $script:Store -Answers "Y`nN`nY`n" {
            'tonysmith', 'amyalberts', 'ppinilla' | Set-UMMailboxPIN -Confirm -ThrottleLimit 2 -PassThru | ForEach-Object Identity
        }
        $run.Output | Should -Be @('contoso.com/Sales/Tony Smith', 'contoso.com/Sales/Pilar Pinilla')
    }
}

# In none of these does the caller use try: what must not happen is that the next statement of the function runs.
Describe 'A confirmation that cannot be answered changes nothing' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'with -NonInteractive' {
        $run = Invoke-Fresh -Store $script:Store -NonInteractive {
            $Error.Clear()
            Set-UMMailboxPIN tonysmith -Confirm
            $Error.Count
            $Error[0].FullyQualifiedErrorId
        }
        Get-MessageCount $script:Store | Should -Be 0
        $run.Output | Should -Be @(1, 'ConfirmationImpossible,Set-UMMailboxPIN')
    }

    It 'at the end of the input' {
        $run = Invoke-Fresh -Store $script:Store -Answers '' { Set-UMMailboxPIN tonysmith -Confirm }
        Get-MessageCount $script:Store | Should -Be 0
        $run.ErrorText | Should -Not -BeNullOrEmpty
    }

    It 'in a job' {
        $run = Invoke-Fresh -Store $script:Store {
            $job = Start-Job { Set-UMMailboxPIN tonysmith -Confirm; 'reached' }
            $deadline = (Get-Date).AddSeconds(30)
            while ($job.State -notin 'Completed', 'Failed', 'Blocked' -and (Get-Date) -lt $deadline) { Start-Sleep -Milliseconds 100 }
            # A blocked job that is asked for its results cannot ask either and goes on with a failed confirmation.
            $null = Receive-Job $job -ErrorAction SilentlyContinue
            $null = Wait-Job $job -Timeout 10 -ErrorAction SilentlyContinue
            "$($job.State)"
            Remove-Job $job -Force
        }
        Get-MessageCount $script:Store | Should -Be 0
        $run.Output[0] | Should -BeIn 'Completed', 'Failed', 'Blocked'
    }

    It 'in ForEach-Object -Parallel' -Skip:($PSVersionTable.PSVersion.Major -lt 7) {
        $run = Invoke-Fresh -Store $script:Store {
            'tonysmith' | ForEach-Object -Parallel { Set-UMMailboxPIN $_ -Confirm; 'reached' }
        }
        Get-MessageCount $script:Store | Should -Be 0
        $run.Output | Should -Be @('reached')
        $run.ErrorText | Should -Match 'Nothing was changed'
    }

    It 'in a runspace without a host' {
        $run = Invoke-Fresh -Store $script:Store {
            $shell = [powershell]::Create()
            $null = $shell.AddScript('Set-UMMailboxPIN tonysmith -Confirm; "reached"')
            $shell.Invoke()
            @($shell.Streams.Error).Count
            $shell.Dispose()
        }
        Get-MessageCount $script:Store | Should -Be 0
        $run.Output | Should -Be @('reached', 1)
    }

    # Embedded: nothing is imported into Active Directory.
    It 'for Import-UMDirectory either' -Tag Embedded {
        $folder = New-TestFolder
        try {
            $run = Invoke-Fresh -Store $folder -NonInteractive -Variables @{ File = Get-Fixture 'contoso.csv' } {
                Import-UMDirectory $V.File -Confirm
            }
            $run.ErrorText | Should -Match 'Nothing was changed'
            Get-ChildItem -LiteralPath $folder -Force | Should -BeNullOrEmpty
        }
        finally { Remove-TestFolder $folder }
    }
}
