BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    # Resets mailboxes and, between and during the resets, does with the store's files what an administrator might do in the same
    # process. Each close of such a file drops every POSIX lock that the process, the library included, has on it.
    $script:Worker = {
        param([int] $Number, [string] $Folder, [string] $Store, [string] $Mailboxes, [string] $Own)

        Import-Module UMMailboxPin
        $files = foreach ($name in 'directory.db', 'directory.db-wal', 'directory.db-shm', 'directory.db.lock', 'directory.db.gate') {
            [System.IO.Path]::Combine($Store, $name)
        }
        $stop = [System.IO.Path]::Combine($Folder, "stop$Number")
        $handle = {
            param([string[]] $Files, [string] $Copy)
            foreach ($file in $Files) {
                $null = Get-FileHash -LiteralPath $file -ErrorAction Ignore
                Copy-Item -LiteralPath $file -Destination $Copy -Force -ErrorAction Ignore
                $null = Get-Content -LiteralPath $file -TotalCount 20 -ErrorAction Ignore
            }
        }
        $between = [System.IO.Path]::Combine($Folder, "between$Number")
        $during = [System.IO.Path]::Combine($Folder, "during$Number")
        $shell = [powershell]::Create()
        $null = $shell.AddScript({
                param([string] $Handle, [string[]] $Files, [string] $Copy, [string] $Stop)
                $handle = [scriptblock]::Create($Handle)
                $rounds = 0
                while (-not [System.IO.File]::Exists($Stop)) {
                    & $handle $Files $Copy
                    # Opening and closing is what does it: as often as possible.
                    foreach ($turn in 1..100) {
                        foreach ($file in $Files) {
                            try { [System.IO.File]::Open($file, 'Open', 'Read', 'ReadWrite, Delete').Dispose() } catch { continue }
                        }
                    }
                    $rounds++
                }
                $rounds
            }).AddArgument([string] $handle).AddArgument($files).AddArgument($during).AddArgument($stop)

        # Both processes begin at the same moment.
        [System.IO.File]::WriteAllText([System.IO.Path]::Combine($Folder, "ready$Number"), '')
        $limit = [datetime]::UtcNow.AddSeconds(60)
        while (-not ([System.IO.File]::Exists("$Folder/ready1") -and [System.IO.File]::Exists("$Folder/ready2"))) {
            if ([datetime]::UtcNow -gt $limit) { throw 'The other process did not start.' }
            [System.Threading.Thread]::Sleep(5)
        }

        $running = $shell.BeginInvoke()
        $acknowledged = New-Object System.Collections.Generic.List[string]
        try {
            foreach ($round in 1, 2) {
                $index = 10
                foreach ($mailbox in $Mailboxes.Split(' ')) {
                    $index++
                    $pin = "8$($Number + 1)$index$($round)0"
                    Set-UMMailboxPIN $mailbox -Pin $pin -ErrorAction Stop
                    $acknowledged.Add("$mailbox $pin")
                    & $handle $files $between
                    # Changes without a derivation, so that many of both processes meet; every one must still be there.
                    foreach ($locked in $true, $false) {
                        $Own.Split(' ') | Set-UMMailboxPIN -KeepPin -LockedOut $locked -ErrorAction Stop
                        $lost = @($Own.Split(' ') | Get-UMMailboxPIN | Where-Object LockedOut -NE $locked)
                        if ($lost) { throw "Acknowledged changes are lost: $($lost.UserID)" }
                    }
                }
            }
        }
        finally {
            [System.IO.File]::WriteAllLines([System.IO.Path]::Combine($Folder, "acknowledged$Number"), $acknowledged)
            [System.IO.File]::WriteAllText($stop, '')
        }
        $rounds = $shell.EndInvoke($running)[0]
        if ($rounds -lt 3) { throw "The files were handled only $rounds times during the resets." }
    }

    # The last five PINs of a mailbox may not be set again: that tells from outside whether a PIN was really set.
    $script:Verifier = {
        foreach ($line in $V.Lines) {
            $mailbox, $pin = $line.Split(' ')
            $refusal = $null
            Set-UMMailboxPIN $mailbox -Pin $pin -WhatIf -ErrorAction SilentlyContinue -ErrorVariable refusal 6> $null
            $known = $refusal.Count -eq 1 -and $refusal[0].FullyQualifiedErrorId -eq 'PinPolicyViolation,Set-UMMailboxPIN' -and
                $refusal[0].Exception.Message -match 'History'
            [pscustomobject] @{ Line = $line; Known = $known }
        }
    }
}

# Embedded: the records are in these files.
Describe 'The files of the store, handled in the PowerShell process that resets' -Tag Embedded {
    BeforeAll {
        $script:Store = New-TestStore
        $script:Folder = New-TestFolder
        foreach ($number in 1, 2) {
            $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::Combine($script:Folder, "between$number"))
            $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::Combine($script:Folder, "during$number"))
        }
        $file = [System.IO.Path]::Combine($script:Folder, 'worker.ps1')
        [System.IO.File]::WriteAllText($file, $script:Worker.ToString())
        $variables = @{
            Worker    = $file
            Folder    = $script:Folder
            Store     = $script:Store
            Shell     = Get-PowerShellPath
            # Four resets each by two processes: fewer than the five PINs of the history.
            Mailboxes = 'tonysmith amyalberts ppinilla cashton dpelton kakers'
        }
        # One process runs the worker and has started another that runs it too.
        $script:Run = Invoke-Fresh -Store $script:Store -Variables $variables -Script {
            $start = New-Object System.Diagnostics.ProcessStartInfo
            $start.FileName = $V.Shell
            $start.Arguments = '-NoProfile -File "{0}" 2 "{1}" "{2}" "{3}" "wli bmiller deskline mdempsey kjordan abeebe"' -f $V.Worker, $V.Folder, $V.Store, $V.Mailboxes
            $start.UseShellExecute = $false
            $other = [System.Diagnostics.Process]::Start($start)
            & $V.Worker 1 $V.Folder $V.Store $V.Mailboxes 'zmueller sostergard ahassouneh hholt slow tpoe'
            $other.WaitForExit()
            $other.ExitCode
        }
        $script:Acknowledged = foreach ($number in 1, 2) {
            $list = [System.IO.Path]::Combine($script:Folder, "acknowledged$number")
            if ([System.IO.File]::Exists($list)) { [System.IO.File]::ReadAllLines($list) }
        }
    }

    AfterAll {
        Remove-TestFolder $script:Store
        Remove-TestFolder $script:Folder
    }

    It 'disturbs no reset' {
        $script:Run.All | Should -BeNullOrEmpty
        $script:Run.Output | Should -Be @(0)
        @($script:Acknowledged).Count | Should -Be 24
    }

    It 'loses no acknowledged reset' {
        # And a PIN that was never set, to see that the question can be answered with no.
        $lines = @($script:Acknowledged) + 'tonysmith 869990'
        $run = Invoke-Fresh -Store $script:Store -Variables @{ Lines = $lines } -Script $script:Verifier
        $run.ErrorText | Should -BeNullOrEmpty
        @($run.Output).Count | Should -Be 25
        @($run.Output | Where-Object { -not $_.Known } | ForEach-Object Line) | Should -Be @('tonysmith 869990')
    }

    It 'loses no message and mails no PIN that was not set' {
        $announced = Get-Message $script:Store | ForEach-Object {
            $null = $_ -match '(?m)^To: .*?([a-z]+)@contoso\.com'
            $mailbox = $Matches[1]
            $null = $_ -match '(?m)^(\d{6})\r?$'
            "$mailbox $($Matches[1])"
        }
        @($announced | Sort-Object) | Should -Be @($script:Acknowledged | Sort-Object)
    }

    It 'leaves a store that further resets work on' {
        $run = Invoke-Fresh -Store $script:Store {
            Get-UMMailbox -ResultSize Unlimited | Set-UMMailboxPIN -ThrottleLimit 4 -SendEmail $false -PassThru -WarningAction SilentlyContinue |
                ForEach-Object { 1 }
        }
        $run.All | Should -BeNullOrEmpty
        @($run.Output).Count | Should -BeGreaterThan 15
    }
}
