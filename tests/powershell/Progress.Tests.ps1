BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Store = New-TestStore
    # Each line: the situation, how many bars stay, what was shown last, and which texts while it ran. What feeds the command goes on until a
    # bar is there.
    $script:Run = Invoke-Fresh -Store $script:Store -Variables @{ Source = [System.IO.Path]::Combine($PSScriptRoot, 'Support', 'RecordingHost.cs') } {
        Add-Type -Path $V.Source
        $situations = [ordered] @{
            'the end'           = 'FEED | Set-UMMailboxPIN -SendEmail $false -PassThru | Out-Null'
            'the end, parallel' = 'FEED | Set-UMMailboxPIN -SendEmail $false -PassThru -ThrottleLimit 2 | Out-Null'
            'First'             = 'FEED | Set-UMMailboxPIN -SendEmail $false -PassThru | Where-Object { $h.Progress.Count } | Select-Object -First 1 | Out-Null'
            'throw'             = 'FEED | Set-UMMailboxPIN -SendEmail $false -PassThru | ForEach-Object { if ($h.Progress.Count) { throw 1 } }'
            'break'             = 'foreach ($z in 1) { FEED | Set-UMMailboxPIN -SendEmail $false -PassThru | ForEach-Object { if ($h.Progress.Count) { break } } }'
            'a stopping error'  = 'FEED ''nobody'' | Set-UMMailboxPIN -SendEmail $false -ErrorAction Stop'
            'an error upstream' = 'FEED $null | Set-UMMailboxPIN -SendEmail $false'
            'Ctrl+C'            = 'FEED | Set-UMMailboxPIN -SendEmail $false -PassThru | ForEach-Object { if ($h.Progress.Count) { $null = $gate.Set(); while ($true) { Start-Sleep 1 } } }'
            '-WhatIf'           = 'FEED | Set-UMMailboxPIN -WhatIf'
            'Lock'              = 'FEED | Lock-UMMailbox'
            'Unlock, -WhatIf'   = 'FEED | Unlock-UMMailbox -WhatIf'
            'not wanted'        = '$ProgressPreference = ''SilentlyContinue''; FEED | Lock-UMMailbox'
        }
        $feed = @'
function Send-Name {
    param($Last = '')
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not $h.Progress.Count -and $watch.Elapsed.TotalSeconds -lt $limit) { 'kakers' }
    if ($null -eq $Last) { throw 'upstream' }
    if ($Last) { $Last }
}
'@
        foreach ($name in $situations.Keys) {
            $h = New-Object UmpinTest.RecordingHost
            $runspace = [runspacefactory]::CreateRunspace($h)
            $runspace.Open()
            $gate = New-Object System.Threading.ManualResetEventSlim
            foreach ($one in @{ h = $h; gate = $gate; limit = $(if ($name -eq 'not wanted') { 3 } else { 60 }) }.GetEnumerator()) {
                $runspace.SessionStateProxy.SetVariable($one.Key, $one.Value)
            }
            $shell = [powershell]::Create()
            $shell.Runspace = $runspace
            $null = $shell.AddScript('$WarningPreference = ''SilentlyContinue''; Import-Module UMMailboxPin; ' + $feed).Invoke()
            $h.Progress.Clear()
            $shell.Commands.Clear()
            $null = $shell.AddScript($situations[$name].Replace('FEED', 'Send-Name'))
            try {
                if ($name -eq 'Ctrl+C') {
                    $null = $shell.BeginInvoke()
                    if (-not $gate.Wait(90000)) { "$name never came to it" }
                    $shell.Stop()
                }
                else {
                    $null = $shell.Invoke()
                }
            }
            catch { $null = $_ }
            $shown = @($h.Progress | Where-Object { $_ -like 'Processing*' } | ForEach-Object { $_ -replace '\d+', 'n' } | Sort-Object -Unique)
            "$name | $($h.Open) | $(if ($h.Progress.Count) { $h.Progress[-1] -replace ':.*' } else { '-' }) | $($shown -join ', ')"
            $runspace.Dispose()
        }
    }
}
AfterAll { Remove-TestFolder $script:Store }

# What is shown, and when, does not depend on the directory.
Describe 'Progress' -Tag Embedded {
    It 'is taken away again after <Name>, and says <Shown>' -ForEach @(
        @{ Name = 'the end'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = 'the end, parallel'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = 'First'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = 'throw'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = 'break'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = 'a stopping error'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = 'an error upstream'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = 'Ctrl+C'; Shown = 'Processing: Resetting Unified Messaging PINs: n mailboxes' }
        @{ Name = '-WhatIf'; Shown = 'Processing: What if: Resetting Unified Messaging PINs: Would reset n mailboxes' }
        @{ Name = 'Lock'; Shown = 'Processing: Locking mailboxes: n mailboxes' }
        @{ Name = 'Unlock, -WhatIf'; Shown = 'Processing: What if: Unlocking mailboxes: Would unlock n mailboxes' }
    ) {
        $line = @($script:Run.Output | Where-Object { $_ -like "$Name | *" })
        $line | Should -Be @("$Name | 0 | Completed | $Shown") -Because "the process wrote: $($script:Run.All)"
    }

    It 'is none where $ProgressPreference says so' {
        $script:Run.Output | Where-Object { $_ -like 'not wanted | *' } | Should -Be 'not wanted | 0 | - | '
    }
}
