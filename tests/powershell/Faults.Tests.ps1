# Broken stores, keys, configurations and files, as the cmdlets tell them: one error record with its id, and nothing changed.
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    # Every file but those that belong to open connections, with a hash of what is in it.
    function Get-StoreContent {
        param([string] $Store)

        foreach ($file in Get-ChildItem -LiteralPath $Store -Recurse -File -Force | Sort-Object FullName) {
            if ($file.Name -notmatch '(-wal|-shm|\.lock|\.gate)$') {
                '{0} {1}' -f $file.FullName, (Get-FileHash -LiteralPath $file.FullName).Hash
            }
        }
    }
    function Set-Bytes {
        param([string] $Path, [long] $At, [byte[]] $Bytes)

        $file = [System.IO.File]::OpenWrite($Path)
        try {
            $null = $file.Seek($At, 'Begin')
            $file.Write($Bytes, 0, $Bytes.Length)
        }
        finally { $file.Dispose() }
    }
}

BeforeDiscovery {
    $faults = @(
        @{ Name = 'No key'; Id = 'KeyUnavailable'; Names = 'umpin.key'
            Break = { Remove-Item (Join-Path $Store 'umpin.key') } }
        @{ Name = 'A key of the wrong size'; Id = 'KeyUnavailable'; Names = 'umpin.key'
            Break = { [System.IO.File]::WriteAllBytes((Join-Path $Store 'umpin.key'), [byte[]] (1..31)) } }
        # Embedded: the store is that file.
        @{ Name = 'Another store''s key'; Embedded = $true; Id = 'KeyUnavailable'; Names = 'directory.db'
            Break = { [System.IO.File]::WriteAllBytes((Join-Path $Store 'umpin.key'), [byte[]] (1..32)) } }
        @{ Name = 'A store that is no database'; Embedded = $true; Id = 'StoreCorrupt'; Names = 'directory.db'
            Break = {
                # The log holds the first page too: with it the store would be whole.
                Remove-Item (Join-Path $Store 'directory.db-wal'), (Join-Path $Store 'directory.db-shm') -ErrorAction SilentlyContinue
                Set-Bytes (Join-Path $Store 'directory.db') 0 ([byte[]] (1..100))
            } }
        @{ Name = 'An empty store'; Embedded = $true; Id = 'StoreCorrupt'; Names = 'directory.db'
            Break = { [System.IO.File]::WriteAllBytes((Join-Path $Store 'directory.db'), [byte[]] @()) } }
        @{ Name = 'No store'; Embedded = $true; Id = 'DirectoryUnavailable'; Names = 'directory.db'
            Break = { Remove-Item (Join-Path $Store 'directory.db') } }
        @{ Name = 'An unknown key in the configuration'; Id = 'ConfigurationInvalid'; Names = 'umpin.json'
            Break = { Set-Content (Join-Path $Store 'umpin.json') '{ "directroy": { "type": "embedded" } }' } }
        @{ Name = 'A configuration that is no JSON'; Id = 'ConfigurationInvalid'; Names = 'umpin.json'
            Break = { Set-Content (Join-Path $Store 'umpin.json') 'password=7391846205' } }
        @{ Name = 'An empty configuration'; Id = 'ConfigurationInvalid'; Names = 'umpin.json'
            Break = { [System.IO.File]::WriteAllBytes((Join-Path $Store 'umpin.json'), [byte[]] @()) } }
    )
    if ($env:UMPIN_TEST_DIRECTORY -eq 'activeDirectory') {
        $faults = $faults | Where-Object { -not $_.Embedded }
    }
}

Describe '<Name>' -ForEach $faults {
    BeforeAll {
        $script:Store = New-TestStore
        # A PIN that can get lost; then nothing of the process that set it is open any more.
        $null = Invoke-Fresh -Store $script:Store { Set-UMMailboxPIN tonysmith -Pin 580291 }
        & $Break
        $script:Before = @(Get-StoreContent $script:Store)
        $script:Run = Invoke-Fresh -Store $script:Store -Variables @{ Pin = '7391846205' } {
            function Get-Outcome {
                param([scriptblock] $Command)

                $Error.Clear()
                $lines = @(try { & $Command 2>&1 } catch { $_ })
                $records = @($lines | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] })
                [pscustomobject] @{
                    Count   = $records.Count
                    InError = $Error.Count
                    Id      = "$($records[0].FullyQualifiedErrorId)"
                    Message = "$($records[0].Exception.Message)"
                    Action  = "$($records[0].ErrorDetails.RecommendedAction)"
                    Said    = ($lines + $Error | Format-List * -Force | Out-String -Width 400)
                }
            }
            Get-Outcome { Set-UMMailboxPIN tonysmith -Pin $V.Pin }
            Get-Outcome { Set-UMMailboxPIN tonysmith -Pin $V.Pin -WhatIf }
            Get-Outcome { 'tonysmith', 'kakers', 'amyalberts' | Set-UMMailboxPIN -Pin $V.Pin }
            Get-Outcome { 'tonysmith', 'kakers' | Set-UMMailboxPIN -ThrottleLimit 4 }
            Get-Outcome { Set-UMMailboxPIN tonysmith -LockedOut $true -KeepPin }
            Get-Outcome { Get-UMMailboxPIN tonysmith }
        }
    }
    AfterAll { Remove-TestFolder $script:Store }

    It 'is one error with its id, whatever the number of items' {
        $script:Run.ErrorText | Should -BeNullOrEmpty
        @($script:Run.Output).Count | Should -Be 6
        foreach ($outcome in $script:Run.Output) {
            $outcome.Count | Should -Be 1 -Because $outcome.Said
            $outcome.InError | Should -Be 1 -Because $outcome.Said
            $outcome.Id | Should -Match "^$Id,(Set|Get)-UMMailboxPIN$"
            $outcome.Message | Should -Match ([regex]::Escape((Join-Path $script:Store $Names)))
            $outcome.Action | Should -Match '\.$'
        }
    }
    It 'changes nothing' {
        @(Get-StoreContent $script:Store) | Should -Be $script:Before
    }
    It 'keeps the PIN to itself' {
        "$($script:Run.Output.Said)$($script:Run.All)" | Should -Not -Match '7391846205'
    }
}

Describe 'A pickup directory that is a file' {
    It 'is one error for what mails, and none for what does not' {
        $store = New-TestStore
        try {
            [System.IO.File]::WriteAllText((Join-Path $store 'pickup'), 'a file')
            $run = Invoke-Fresh -Store $store {
                foreach ($mailbox in 'tonysmith', 'kakers') {
                    $null = Set-UMMailboxPIN $mailbox -ErrorAction SilentlyContinue -ErrorVariable problem
                    "$(@($problem).Count) $($problem[0].FullyQualifiedErrorId)"
                    Set-UMMailboxPIN $mailbox -SendEmail $false -WarningAction SilentlyContinue
                }
                @(Get-UMMailboxPIN | Where-Object { -not $_.PinExpired }).Count
            }
            $run.All | Should -BeNullOrEmpty
            $run.Output | Should -Be @('1 NotificationUnavailable,Set-UMMailboxPIN', '1 NotificationUnavailable,Set-UMMailboxPIN', 0)
            [System.IO.File]::ReadAllText((Join-Path $store 'pickup')) | Should -Be 'a file'
        }
        finally { Remove-TestFolder $store }
    }
}

# Embedded: nothing is imported into Active Directory.
Describe 'An import file that is <Name>' -Tag Embedded -ForEach @(
    @{ Name = 'empty'; File = 'x.csv'; Bytes = [byte[]] @() }
    @{ Name = 'binary'; File = 'x.csv'; Bytes = [byte[]] (0..255) }
    @{ Name = 'without the columns needed'; File = 'x.csv'; Bytes = [System.Text.Encoding]::ASCII.GetBytes("Foo,Bar`n1,2`n") }
    @{ Name = 'cut off inside quotation marks'; File = 'x.csv'; Bytes = [System.Text.Encoding]::ASCII.GetBytes("UserPrincipalName,Name`na@contoso.com,`"A`n") }
    @{ Name = 'of an unknown kind'; File = 'x.txt'; Bytes = [System.Text.Encoding]::ASCII.GetBytes("UserPrincipalName,Name`na@contoso.com,A`n") }
) {
    It 'is one error that names it, and changes nothing' {
        $store = New-TestStore
        $folder = New-TestFolder
        try {
            $path = Join-Path $folder $File
            [System.IO.File]::WriteAllBytes($path, $Bytes)
            $before = @(Get-StoreContent $store)
            $run = Invoke-Fresh -Store $store -Variables @{ Path = $path } {
                foreach ($skip in $false, $true) {
                    $Error.Clear()
                    try { Import-UMDirectory -Path $V.Path -SkipInvalid:$skip -ErrorAction SilentlyContinue } catch { $null = $_ }
                    "$($Error.Count) $($Error[0].FullyQualifiedErrorId)"
                    $Error[0].Exception.Message
                }
            }
            $run.All | Should -BeNullOrEmpty
            $run.Output[0, 2] | Should -Be @('1 ImportInvalid,Import-UMDirectory', '1 ImportInvalid,Import-UMDirectory')
            $run.Output[1] | Should -Match ([regex]::Escape($path))
            @(Get-StoreContent $store) | Should -Be $before
        }
        finally {
            Remove-TestFolder $folder
            Remove-TestFolder $store
        }
    }
}
