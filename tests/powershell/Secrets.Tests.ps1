# A marked PIN through every path on which PowerShell itself could show it: prompts, What if, progress, error records, objects.
# (What a fault of store, key or configuration shows is in Faults.Tests.ps1, what ordinary refusals show in Secrecy.Tests.ps1.)
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Marked = '7391846205'

    function Find-Pin {
        param([string] $Folder, [string] $Pin)

        $latin = [System.Text.Encoding]::GetEncoding(28591)
        $wide = $latin.GetString([System.Text.Encoding]::Unicode.GetBytes($Pin))
        foreach ($file in Get-ChildItem -LiteralPath $Folder -Recurse -File -Force | Where-Object Extension -NE '.eml') {
            $text = $latin.GetString([System.IO.File]::ReadAllBytes($file.FullName))
            if ($text.Contains($Pin) -or $text.Contains($wide)) { $file.FullName }
        }
    }
}

Describe 'A marked PIN' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'is in no confirmation prompt, whatever is answered' {
        foreach ($answer in "Y`n", "N`n") {
            $run = Invoke-Fresh -Store $script:Store -Variables @{ Pin = $script:Marked } -Answers $answer {
                Set-UMMailboxPIN tonysmith -Pin $V.Pin -Confirm
            }
            $run.All | Should -Match 'Tony Smith' -Because 'something was asked'
            $run.All | Should -Not -Match $script:Marked
        }
        Find-Pin $script:Store $script:Marked | Should -BeNullOrEmpty
    }

    It 'is in no What if sentence, for one or for many, with or without a fault' {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Pin = $script:Marked } {
            $VerbosePreference = 'Continue'; $DebugPreference = 'Continue'; $InformationPreference = 'Continue'
            & {
                Set-UMMailboxPIN tonysmith -Pin $V.Pin -WhatIf
                Get-Mailbox | Set-UMMailboxPIN -Pin $V.Pin -WhatIf
                Set-UMMailboxPIN nobody -Pin $V.Pin -WhatIf
                Set-UMMailboxPIN tonysmith -Pin "$($V.Pin)x" -WhatIf
            } *>&1 | Out-String -Width 400
        }
        "$($run.Output)" | Should -Match 'tony' -Because 'something was said at all'
        "$($run.Output)$($run.All)" | Should -Not -Match $script:Marked
        Get-MessageCount $script:Store | Should -Be 0
        Find-Pin $script:Store $script:Marked | Should -BeNullOrEmpty
    }

    It 'is in no progress, bulk or not' {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Pin = $script:Marked } {
            $ProgressPreference = 'Continue'
            Get-UMMailboxPIN | Set-UMMailboxPIN -Pin $V.Pin -SendEmail $false -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
            Get-UMMailboxPIN | Set-UMMailboxPIN -Pin "$($V.Pin)4" -SendEmail $false -ThrottleLimit 4 -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
        }
        $run.All | Should -Not -Match $script:Marked
        Find-Pin $script:Store $script:Marked | Should -BeNullOrEmpty
    }

    It 'is in no property of an error record, its exceptions or its serialized form' {
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Pin = $script:Marked } {
            $null = Set-UMMailboxPIN tonysmith -Pin $V.Pin
            $Error.Clear()
            Set-UMMailboxPIN tonysmith -Pin $V.Pin -ErrorAction SilentlyContinue -ErrorVariable problem
            Set-UMMailboxPIN nobody -Pin $V.Pin -ErrorAction SilentlyContinue
            try { Set-UMMailboxPIN tonysmith -Pin "$($V.Pin)-x" -ErrorAction Stop } catch { $null = $_ }
            try { Set-UMMailboxPIN tonysmith -Pin $V.Pin -KeepPin -LockedOut $true -ErrorAction Stop } catch { $null = $_ }
            $Error.Count
            foreach ($record in @($Error) + @($problem)) {
                # The position is PowerShell's own echo of the command line; InvocationInfo holds it, and the bound PIN.
                $record | Select-Object * -ExcludeProperty InvocationInfo | Format-List * -Force | Out-String -Width 400
                for ($exception = $record.Exception; $exception; $exception = $exception.InnerException) {
                    $exception | Select-Object * -ExcludeProperty ErrorRecord | Format-List * -Force | Out-String -Width 400
                    "$exception"
                }
                $record.ErrorDetails | Format-List * -Force | Out-String
                $record.CategoryInfo | Format-List * -Force | Out-String
            }
        }
        $run.Output[0] | Should -BeGreaterOrEqual 4
        "$($run.Output)" | Should -Match 'PinPolicyViolation'
        "$($run.Output)$($run.All)" | Should -Not -Match $script:Marked
    }

    It 'that was generated is given back as a SecureString only' {
        $run = Invoke-Fresh -Store $script:Store {
            $result = Set-UMMailboxPIN tonysmith -PassThru -Verbose 4>&1 | Where-Object { $_ -isnot [System.Management.Automation.VerboseRecord] }
            $result.Pin.GetType().FullName
            (New-Object System.Management.Automation.PSCredential 'x', $result.Pin).GetNetworkCredential().Password
            $result | Format-List * -Force | Out-String
            $result | ConvertTo-Json -Depth 4 -WarningAction SilentlyContinue
            "$result"
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output[0] | Should -Be 'System.Security.SecureString'
        $pin = $run.Output[1]
        $pin | Should -Match '^\d{6}$'
        ($run.Output[2..($run.Output.Count - 1)] -join "`n") | Should -Not -Match "(?<!\d)$pin(?!\d)"
        @(Get-Message $script:Store)[0] | Should -Match "(?m)^$pin\r?$"
    }
}
