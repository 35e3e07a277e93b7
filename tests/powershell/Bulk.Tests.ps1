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
}

# Before its commit point a reset is cancelled and leaves no trace; after it, it finishes, and is told. Whatever stops the pipeline, no
# more than -ThrottleLimit PINs are changed without an object, and none once the prompt is back.
Describe 'A stop' {
    BeforeDiscovery {
        # Written: how many objects come out of the pipeline, Beside: and how many more may, because an error that stops comes after
        # what was finished. Untold: how many PINs may be changed without an object; n is the -ThrottleLimit.
        $script:Stops = foreach ($limit in 0, 4) {
            $how = if ($limit) { "with -ThrottleLimit $limit" } else { 'one by one' }
            @{ Name = "by a throw downstream, $how"; Limit = $limit; Written = 3; Beside = 0; Untold = $limit
                Text = '$names | Set-UMMailboxPIN @more | ForEach-Object { $_; if (++$n -eq 3) { throw "stop" } }' }
            @{ Name = "by Select-Object -First, $how"; Limit = $limit; Written = 3; Beside = 0; Untold = $limit
                Text = '$names | Set-UMMailboxPIN @more | Select-Object -First 3' }
            @{ Name = "by an error of the look-up and -ErrorAction Stop, $how"; Limit = $limit; Written = 3; Beside = 0; Untold = 0
                Text = '$names[0..2] + "nobody" + $names[3..99] | Set-UMMailboxPIN @more -ErrorAction Stop' }
            # Not known before the commit: it is among the earlier PINs.
            @{ Name = "by an error of the commit and -ErrorAction Stop, $how"; Limit = $limit; Written = 3; Beside = $limit; Untold = 0; Earlier = 1
                Text = "Set-UMMailboxPIN `$names[3] -Pin 73915$limit -SendEmail `$false; `$names | Set-UMMailboxPIN @more -Pin 73915$limit -ErrorAction Stop" }
            @{ Name = "by an error upstream, $how"; Limit = $limit; Written = 3; Beside = 4; Untold = $limit
                Text = '$names | ForEach-Object { if (++$n -eq 8) { throw "upstream" }; $_ } | Set-UMMailboxPIN @more' }
            @{ Name = "from outside, as by Ctrl+C, while a command downstream waits, $how"; Limit = $limit; Written = 3; Beside = 0; Untold = $limit; Stops = $true
                Text = '$names | Set-UMMailboxPIN @more | ForEach-Object { $_; if (++$n -eq 3) { $null = $gate.Set(); Start-Sleep -Seconds 600 } }' }
            # Wherever in a reset that comes; on a busy machine it may be late.
            @{ Name = "from outside, as by Ctrl+C, at work, $how"; Limit = $limit; Written = 3; Beside = 99; Untold = [math]::Max(1, $limit); Stops = $true
                Text = '$names | Set-UMMailboxPIN @more | ForEach-Object { $_; if (++$n -eq 3) { $null = $gate.Set() } }' }
        }
    }
    BeforeAll {
        $script:Store = New-TestStore
        $script:Run = Invoke-Fresh -Store $script:Store -Variables @{ Stops = $Stops } {
            Import-Module UMMailboxPin.Directory
            $names = @(Get-UMMailbox | ForEach-Object { "$($_.Guid)" })
            function Get-Reset { @(Get-UMPinAudit -Cmdlet Set-UMMailboxPIN | Where-Object Action -EQ Reset) }
            foreach ($stop in $V.Stops) {
                $more = @{ PassThru = $true; SendEmail = $false; WarningAction = 'SilentlyContinue' }
                if ($stop.Limit) { $more['ThrottleLimit'] = $stop.Limit }
                $gate = [System.Threading.ManualResetEventSlim]::new($false)
                $before = @(Get-Reset).Count
                $shell = [powershell]::Create()
                $null = $shell.AddScript("param(`$names, `$more, `$gate) $($stop.Text)").AddArgument($names).AddArgument($more).AddArgument($gate)
                $given = New-Object 'System.Management.Automation.PSDataCollection[psobject]'
                $given.Complete()
                $out = New-Object 'System.Management.Automation.PSDataCollection[psobject]'
                $running = $shell.BeginInvoke($given, $out)
                $waited = 0
                if ($stop.Stops) {
                    if (-not $gate.Wait(60000)) { throw 'The pipeline did not come to its third object.' }
                    $clock = [System.Diagnostics.Stopwatch]::StartNew()
                    $shell.Stop()
                    $waited = $clock.ElapsedMilliseconds
                }
                else {
                    try { $null = $shell.EndInvoke($running) } catch { $null = $_ }
                }
                # The prompt is back: from here on nothing may change. What the library might still do would be done before one more.
                $then = @(Get-Reset | Select-Object -Skip $before)
                Set-UMMailboxPIN $names[-1] -SendEmail $false -WarningAction SilentlyContinue
                # The outcome of one that was cancelled in the middle may come a moment after the prompt.
                $patience = [System.Diagnostics.Stopwatch]::StartNew()
                do {
                    $later = @(Get-Reset | Select-Object -Skip $before)
                    $unfinished = @($later | Where-Object { $null -eq $_.Succeeded }).Count
                } while ($unfinished -and $patience.Elapsed.TotalSeconds -lt 30)
                $written = @($out | ForEach-Object { "$($_.Guid)" })
                [pscustomobject] @{
                    Name = $stop.Name; Objects = $written.Count; Repeated = $written.Count - @($written | Sort-Object -Unique).Count
                    Changed = @($then | Where-Object Succeeded).Count; Later = $later.Count - $then.Count; Waited = $waited; All = $names.Count
                    NotChanged = @($written | Where-Object { $_ -notin @($then | Where-Object Succeeded).TargetGuid }).Count
                    Unfinished = $unfinished
                }
            }
        }
    }
    AfterAll { Remove-TestFolder $script:Store }

    It '<Name>: what was finished is written, at most n more are changed, and nothing afterwards' -ForEach $Stops {
        $script:Run.ErrorText | Should -BeNullOrEmpty
        $result = $script:Run.Output | Where-Object Name -EQ $Name
        $result.Objects | Should -BeGreaterOrEqual $Written
        $result.Objects | Should -BeLessOrEqual ($Written + $Beside)
        $result.Repeated | Should -Be 0
        $result.NotChanged | Should -Be 0 -Because 'what was written was changed'
        $untold = $result.Changed - $result.Objects - $Earlier
        $untold | Should -BeGreaterOrEqual 0
        $untold | Should -BeLessOrEqual $Untold
        if ($Beside -lt 99) { $result.Changed | Should -BeLessThan $result.All }
        $result.Later | Should -Be 1 -Because 'only what was asked for afterwards may change after a stop'
        $result.Unfinished | Should -Be 0 -Because 'no intent in the audit log may lack its outcome'
        $result.Waited | Should -BeLessThan 10000
    }
}

Describe 'The end of the process' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'waits for what is past its commit point, and cancels the rest, by <Name>' -ForEach @(
        # Collected before the process ends: nothing may hang on a handle that the garbage collector frees in time.
        @{ Name = 'an error upstream'; End = { throw 'upstream' } }
        @{ Name = 'Environment.Exit'; End = { [Environment]::Exit(5) } }
        @{ Name = 'exit'; End = { exit 5 } }
    ) {
        $null = Invoke-Fresh -Store $script:Store -Variables @{ End = $End.ToString() } {
            Import-Module UMMailboxPin.Directory
            $end = [scriptblock]::Create($V.End)
            $names = @(Get-UMMailbox | ForEach-Object { "$($_.Guid)" })
            $n = 0
            $names | ForEach-Object { if (++$n -eq 9) { [GC]::Collect(); [GC]::WaitForPendingFinalizers(); . $end }; $_ } | Set-UMMailboxPIN -ThrottleLimit 4
        }
        $run = Invoke-Fresh -Store $script:Store {
            # What was cut off is found out by the next session.
            Send-UMPinNotification
            $patience = [System.Diagnostics.Stopwatch]::StartNew()
            do {
                $resets = @(Get-UMPinAudit | Where-Object { $_.Action -eq 'Reset' })
            } while (@($resets | Where-Object { $null -eq $_.Succeeded }).Count -and $patience.Elapsed.TotalSeconds -lt 30)
            @($resets | Where-Object Succeeded).Count
            @($resets | Where-Object { $null -eq $_.Succeeded }).Count
            @(Get-UMPinNotification).Count
            # What is said to be changed is changed.
            @(Get-UMMailboxPIN -ResultSize Unlimited | Where-Object LastSet).Count
        }
        $changed, $unfinished, $queued, $set = $run.Output
        # Eight were accepted, of which no more than four were under way.
        $changed | Should -BeGreaterOrEqual 4
        $changed | Should -BeLessOrEqual 8
        $unfinished | Should -Be 0 -Because 'no outcome may stay unknown'
        $set | Should -Be $changed
        # Each change has its message, on its way or there.
        (Get-MessageCount $script:Store) + $queued | Should -Be $changed
    }
}

Describe 'What a stop leaves unwritten' {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'is told by the host, with the mailboxes' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin.Directory
            $names = @(Get-UMMailbox | ForEach-Object { "$($_.Guid)" })
            # All under way are finished by the time the first object is here.
            $null = $names[0..3] | Set-UMMailboxPIN -PassThru -ThrottleLimit 4 | Select-Object -First 1
            @(Get-UMPinAudit -Action Reset -Outcome Succeeded).Count
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $changed = $run.Output[0]
        $changed | Should -BeGreaterOrEqual 1
        $told = [regex]::Matches($run.Text, '"contoso\.com/[^"]+"').Count
        $told | Should -Be ($changed - 1)
    }
}
