BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

# Embedded: it is the embedded store's file that is looked for.
Describe 'Where the store is looked for' -Tag Embedded {
    BeforeEach { $script:Folder = New-TestFolder }
    AfterEach { Remove-TestFolder $script:Folder }

    It 'is named when there is none, by every command but Import-UMDirectory' {
        $run = Invoke-Fresh -Store $script:Folder {
            foreach ($block in { Set-UMMailboxPIN x }, { Get-UMMailboxPIN }, { Get-Mailbox }, { Get-UMMailbox }, { Get-UMMailboxPolicy }) {
                try { & $block; 'no error' } catch { $_.Exception.Message }
            }
        }
        $run.Output.Count | Should -Be 5
        foreach ($line in $run.Output) { $line | Should -Match ([regex]::Escape([System.IO.Path]::Combine($script:Folder, 'directory.db'))) }
        Get-ChildItem -LiteralPath $script:Folder -Force | Should -BeNullOrEmpty
    }

    It 'changes at once with $env:UMPIN_HOME and, where that is relative, with the location' {
        $run = Invoke-Fresh -Variables @{ Folder = $script:Folder; File = Get-Fixture 'contoso.csv' } {
            foreach ($name in 'one', 'two') {
                $null = New-Item -ItemType Directory "$($V.Folder)/$name"
            }
            $env:UMPIN_HOME = "$($V.Folder)/one"
            Import-UMDirectory $V.File -WarningAction SilentlyContinue
            @(Get-Mailbox).Count
            Set-Location $V.Folder
            $env:UMPIN_HOME = 'two'
            try { Get-Mailbox } catch { $_.FullyQualifiedErrorId }
            Set-Location "$($V.Folder)/one"
            $env:UMPIN_HOME = '.'
            @(Get-Mailbox).Count
            Set-Location Env:
            @(Get-Mailbox).Count
        }
        $run.Output | Should -Be @(21, 'DirectoryUnavailable,Get-Mailbox', 21, 21)
    }

    It 'follows the configuration file when that changes' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ File = Get-Fixture 'contoso.csv' } {
            Set-Content "$env:UMPIN_HOME/umpin.json" '{ "directory": { "type": "embedded", "path": "first.db" } }'
            Import-UMDirectory $V.File -WarningAction SilentlyContinue
            Test-Path "$env:UMPIN_HOME/first.db"
            @(Get-Mailbox).Count
            Set-Content "$env:UMPIN_HOME/umpin.json" '{ "directory": { "type": "embedded", "path": "the-second.db" } }'
            try { Get-Mailbox } catch { $_.Exception.Message }
        }
        $run.Output[0] | Should -BeTrue
        $run.Output[1] | Should -Be 21
        $run.Output[2] | Should -Match 'the-second\.db'
    }

    It 'is named with the store in use where a configuration file leads elsewhere, and no second store is proposed' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ File = Get-Fixture 'contoso.csv'; Elsewhere = Join-Path $script:Folder 'etc' } {
            Import-UMDirectory $V.File -WarningAction SilentlyContinue
            $null = New-Item -ItemType Directory $V.Elsewhere
            Set-Content "$($V.Elsewhere)/umpin.json" '{ "directory": { "type": "embedded", "path": "directory.db" } }'
            $env:UMPIN_CONFIG = "$($V.Elsewhere)/umpin.json"
            try { Get-Mailbox } catch { $_.Exception.Message; $_.ErrorDetails.RecommendedAction }
        }
        $run.Output.Count | Should -Be 2
        foreach ($path in 'etc/directory.db', 'etc/umpin.json', 'directory.db') {
            $run.Output[0] | Should -Match ([regex]::Escape("'$([System.IO.Path]::Combine($script:Folder, $path))'"))
        }
        $run.Output[1] | Should -Match 'directory\.path'
        $run.Output[1] | Should -Not -Match 'Import'
    }

    It 'hands on the variable with the password of the mail relay, as it is at each call' {
        $run = Invoke-Fresh -Store $script:Folder -Variables @{ File = Get-Fixture 'contoso.csv' } {
            Import-UMDirectory $V.File -WarningAction SilentlyContinue
            $relay = '"type": "smtp", "host": "localhost", "port": 9, "tls": "none", "from": "um@contoso.com"'
            Set-Content "$env:UMPIN_HOME/umpin.json" "{ `"notification`": { $relay, `"user`": `"um`", `"passwordVariable`": `"UMPIN_RELAY`" } }"
            $mailbox = @(Get-UMMailboxPIN)[0].UserObjectId
            foreach ($password in $null, "sword`nfish", 'sword"\ü fish', $null) {
                $env:UMPIN_RELAY = $password
                try { Set-UMMailboxPIN $mailbox -NotifyEmail kim@contoso.com -WhatIf -ErrorAction Stop; 'fine' } catch { $_.Exception.Message }
            }
        }
        $said = @($run.Output | Where-Object { $_ -notmatch 'What if' })
        $said[0] | Should -Match "'UMPIN_RELAY' is not set"
        $said[1] | Should -Match "'UMPIN_RELAY' holds more than one line"
        $said[1] | Should -Not -Match 'sword'
        $said[2] | Should -Be 'fine'
        $said[3] | Should -Match "'UMPIN_RELAY' is not set"
    }

    It 'takes the file that UMPIN_CONFIG names, and refuses one that does not exist' {
        $run = Invoke-Fresh -Variables @{ Folder = $script:Folder; File = Get-Fixture 'contoso.csv' } {
            Set-Content "$($V.Folder)/own.json" '{ "directory": { "type": "embedded", "path": "own.db" } }'
            Set-Location $V.Folder
            $env:UMPIN_CONFIG = 'own.json'
            Import-UMDirectory $V.File -WarningAction SilentlyContinue
            Test-Path "$($V.Folder)/own.db"
            $env:UMPIN_CONFIG = 'missing.json'
            try { Get-Mailbox } catch { $_.FullyQualifiedErrorId; $_.Exception.Message }
        }
        $run.Output[0] | Should -BeTrue
        $run.Output[1] | Should -Be 'ConfigurationInvalid,Get-Mailbox'
        $run.Output[2] | Should -Match 'missing\.json'
    }

    It 'is the user''s own where nothing is set' -Skip:([System.IO.File]::Exists('/var/lib/umpin/directory.db') -or [System.IO.File]::Exists('/etc/umpin/umpin.json')) {
        $run = Invoke-Fresh -Environment @{ XDG_DATA_HOME = $script:Folder; LOCALAPPDATA = $script:Folder } {
            try { Get-Mailbox } catch { $_.Exception.Message }
        }
        if ($env:OS -ne 'Windows_NT') {
            $run.Output[0] | Should -Match ([regex]::Escape("$script:Folder/umpin/directory.db"))
        }
        else { $run.Output[0] | Should -Match 'directory\.db' }
    }
}

Describe 'Without the native library' {
    BeforeAll {
        $script:Copy = New-TestFolder
        foreach ($module in 'UMMailboxPin', 'UMMailboxPin.Directory') {
            Copy-Item -LiteralPath ([System.IO.Path]::Combine((Get-StagedPath), $module)) -Destination $script:Copy -Recurse
        }
        Get-ChildItem -LiteralPath $script:Copy -Recurse -File | Where-Object { $_.Name -match '^(lib)?umpin\.(so|dll|dylib)$' } | Remove-Item
    }
    AfterAll { Remove-TestFolder $script:Copy }

    It 'import and help work, and the first command says what is missing' {
        $run = Invoke-Fresh -ModulePath $script:Copy {
            Import-Module UMMailboxPin
            $Error.Count
            (Get-Help Set-UMMailboxPIN -Parameter Pin).name
            try { 'a', 'b' | Set-UMMailboxPIN } catch { $_.FullyQualifiedErrorId; "$($_.CategoryInfo.Category)"; $_.CategoryInfo.Reason }
            $Error.Count
        }
        $run.Output | Should -Be @(0, 'Pin', 'NativeLibraryMissing,Set-UMMailboxPIN', 'NotInstalled', 'NativeLibraryException', 1)
    }

    It 'the managed copy serves a platform that has no folder of its own' {
        $bare = New-TestFolder
        try {
            Copy-Item -LiteralPath ([System.IO.Path]::Combine($script:Copy, 'UMMailboxPin')) -Destination $bare -Recurse
            Get-ChildItem -LiteralPath ([System.IO.Path]::Combine($bare, 'UMMailboxPin', 'bin')) -Directory | Remove-Item -Recurse -Force
            $run = Invoke-Fresh -ModulePath $bare {
                Import-Module UMMailboxPin
                try { Set-UMMailboxPIN a } catch { $_.FullyQualifiedErrorId }
            }
            $run.Output | Should -Be @('NativeLibraryMissing,Set-UMMailboxPIN')
        }
        finally { Remove-TestFolder $bare }
    }
}

Describe 'Another copy of the module that was imported earlier in the process' {
    It 'is noticed by the first command, with the advice to open a new session' {
        $copy = New-TestFolder
        try {
            Copy-Item -LiteralPath ([System.IO.Path]::Combine((Get-StagedPath), 'UMMailboxPin')) -Destination $copy -Recurse
            $run = Invoke-Fresh -Variables @{ Copy = $copy } {
                Import-Module UMMailboxPin
                Remove-Module UMMailboxPin
                Import-Module "$($V.Copy)/UMMailboxPin/UMMailboxPin.psd1" -ErrorAction Stop
                try { Get-UMMailboxPIN tonysmith; 'went on' } catch {
                    $_.FullyQualifiedErrorId
                    "$($_.CategoryInfo.Category) $($_.CategoryInfo.Reason) $($_.Exception.GetType().FullName)"
                    $_ | Out-String
                    [UMMailboxPin.ErrorCatalogue]::Category('NativeLibraryMismatch')
                }
            }
            $run.Output[0] | Should -Be 'NativeLibraryMismatch,Get-UMMailboxPIN'
            $run.Output[1] | Should -Be "$($run.Output[3]) NativeLibraryException UMMailboxPin.NativeLibraryException"
            @([regex]::Matches($run.Output[2], 'Open a new PowerShell session')).Count | Should -Be 1 -Because $run.Output[2]
        }
        finally { Remove-TestFolder $copy }
    }

    It 'may be the same one: a second import is none' {
        $run = Invoke-Fresh {
            Import-Module UMMailboxPin
            Remove-Module UMMailboxPin
            Import-Module UMMailboxPin -PassThru | ForEach-Object Name
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('UMMailboxPin')
    }

    It 'may be the same one behind a symbolic link' {
        $link = New-TestFolder
        $store = New-TestStore
        try {
            $null = New-Item -ItemType SymbolicLink -Path ([System.IO.Path]::Combine($link, 'linked')) -Target (Get-StagedPath)
            $run = Invoke-Fresh -Store $store -Variables @{ Link = [System.IO.Path]::Combine($link, 'linked') } {
                Import-Module UMMailboxPin
                Remove-Module UMMailboxPin
                Import-Module "$($V.Link)/UMMailboxPin/UMMailboxPin.psd1" -ErrorAction Stop
                Import-Module "$($V.Link)/UMMailboxPin.Directory/UMMailboxPin.Directory.psd1" -ErrorAction Stop
                (Get-UMMailboxPIN tonysmith).UserID
                (Get-Mailbox tonysmith).Alias
            }
            $run.All | Should -BeNullOrEmpty
            $run.Output | Should -Be @('tonysmith@contoso.com', 'tonysmith')
        }
        finally { Remove-TestFolder $link; Remove-TestFolder $store }
    }
}

Describe 'A module that was imported in another way' {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'serves the other one: with -Prefix' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin -Prefix X
            Import-Module UMMailboxPin.Directory
            (Get-Mailbox tonysmith).Alias
            (Get-XUMMailboxPIN tonysmith).UserID
            Get-UMMailbox tonysmith | Set-XUMMailboxPIN -PassThru | ForEach-Object Identity
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith', 'tonysmith@contoso.com', 'contoso.com/Sales/Tony Smith')
    }

    It 'serves with -Prefix of its own, and imported anew' {
        $run = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin.Directory -Prefix Um
            (Get-UmMailbox tonysmith).Alias
            Import-Module UMMailboxPin -Force
            (Get-UmMailbox tonysmith).Alias
            (Get-UMMailboxPIN tonysmith).UserID
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith', 'tonysmith', 'tonysmith@contoso.com')
    }
}
