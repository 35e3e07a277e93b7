# A PIN that is easy to find again must be in no stream and no file, the message itself aside.
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'A marked PIN' {
    It 'is in no stream and in no file but the message' {
        # The PIN comes from a variable, so that PowerShell's own echo of the command line does not contain it.
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Pin = '8316027945'; Bad = '83160279458316027945831602' } {
            $all = @{ Verbose = $true; Debug = $false; InformationAction = 'Continue' }
            & {
                $VerbosePreference = 'Continue'; $DebugPreference = 'Continue'
                Set-UMMailboxPIN tonysmith -Pin $V.Pin @all
                Set-UMMailboxPIN tonysmith -Pin $V.Pin @all                        # in the history
                Set-UMMailboxPIN tonysmith -Pin $V.Bad @all                        # too long
                Set-UMMailboxPIN amyalberts -Pin $V.Pin @all -WhatIf
                Set-UMMailboxPIN ppinilla -Pin $V.Pin @all -PassThru
                Set-UMMailboxPIN nobody -Pin $V.Pin @all
                Set-UMMailboxPIN ryoung -Pin $V.Pin @all
                Set-UMMailboxPIN zmueller -Pin $V.Pin @all -NotifyEmail nonsense
                'kakers', 'dpelton' | Set-UMMailboxPIN -Pin $V.Pin @all -ThrottleLimit 2
                Set-UMMailboxPIN tonysmith -Pin $V.Pin @all -KeepPin
            } *>&1 | Out-String -Width 400
            $Error | ForEach-Object { $_ | Format-List * -Force | Out-String -Width 400; $_.Exception | Format-List * -Force | Out-String -Width 400 }
        }
        @($run.Output).Count | Should -BeGreaterThan 5
        ($run.Output -join "`n") | Should -Not -Match '8316027945'
        $run.All | Should -Not -Match '8316027945'
        $messages = @(Get-Message $script:Store)
        $messages.Count | Should -Be 4
        $messages[0] | Should -Match '8316027945'
        foreach ($file in Get-ChildItem -LiteralPath $script:Store -Recurse -File -Force | Where-Object Extension -NE '.eml') {
            $text = [System.Text.Encoding]::GetEncoding(28591).GetString([System.IO.File]::ReadAllBytes($file.FullName))
            $text.Contains('8316027945') | Should -BeFalse -Because $file.Name
        }
    }
}
