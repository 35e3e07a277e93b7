# A function ends as a compiled cmdlet does, whatever ends it: the matrix runs in one process each.
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    $script:Store = New-TestStore
    $script:Folder = New-TestFolder
    $script:Import = $null
    if (-not $script:OnActiveDirectory) {
        # Nothing is imported into Active Directory. Policies come with mailboxes that name them.
        $script:Import = Join-Path $script:Folder 'import.csv'
        [System.IO.File]::WriteAllLines($script:Import, [string[]] @('Name,UserPrincipalName,UMEnabled,UMMailboxPolicy'
                1..3 | ForEach-Object { "Import $_,import$_@contoso.com,True,Policy $_" }))
        $null = Invoke-Fresh -Store $script:Store -Variables @{ File = $script:Import } { Import-UMDirectory $V.File -WarningAction SilentlyContinue }
    }
}
AfterAll {
    Remove-TestFolder $script:Store
    Remove-TestFolder $script:Folder
}

Describe 'What ends a pipeline ends every command that writes as it ends a compiled cmdlet, under <How>' -ForEach @(
    @{ How = '-File' }
    @{ How = '-Command' }
) {
    BeforeAll {
        $support = [System.IO.Path]::Combine($PSScriptRoot, 'Support')
        $script:Run = Invoke-Fresh -Store $script:Store -Variables @{ Support = $support; Import = $script:Import } -AsCommand:($How -eq '-Command') {
            & ([System.IO.Path]::Combine($V.Support, 'OutputMatrix.ps1')) -Support $V.Support -ImportFile $V.Import
        }
        $script:Lines = @($script:Run.Output)
    }

    It 'runs the whole matrix, with objects behind the place where it ends' {
        $script:Run.ErrorText | Should -BeNullOrEmpty
        $commands = Select-ByDirectory -Embedded 18 -ActiveDirectory 17
        $script:Lines.Count | Should -Be ($commands * 13)
        foreach ($line in $script:Lines -match '\| objects \|') {
            # These write one object; and the forest has one policy.
            $least = if ($line -match '^(Export|Import|Update)-|^Get-UMMailboxPolicy' -and $line -notmatch '\| [3-9]') { 1 } else { 3 }
            [int] ($line -split ' \| ')[2] | Should -BeGreaterOrEqual $least -Because $line
        }
    }

    It 'has the same output, exception and $Error each time' {
        $script:Lines -notmatch '\| objects \|' -notmatch '\| same$' | Should -BeNullOrEmpty
    }
}

Describe 'A safety stop in a script' {
    It 'by <Name> ends it, and nothing behind it is reset' -ForEach @(
        @{ Name = 'throw'; Statement = 'throw "safety stop"'; Code = 1 }
        # It ends the script file, which the test's own calls.
        @{ Name = 'exit'; Statement = 'exit 3'; Code = 0 }
        @{ Name = 'throw under -Command'; Statement = 'throw "safety stop"'; Code = 1; AsCommand = $true }
    ) {
        $before = Get-MessageCount $script:Store
        $run = Invoke-Fresh -Store $script:Store -AsCommand:([bool] $AsCommand) ([scriptblock]::Create(@"
            Import-Module UMMailboxPin.Directory
            `$n = 0
            Get-UMMailbox | ForEach-Object { `$n++; if (`$n -eq 3) { $Statement }; Set-UMMailboxPIN `$_.Alias }
            'went on'
"@))
        $run.ExitCode | Should -Be $Code
        $run.Output | Should -BeNullOrEmpty
        (Get-MessageCount $script:Store) - $before | Should -Be 2
    }
}

Describe 'Streams' {
    It 'come in order: an object, then what is wrong with it, then the next' {
        $run = Invoke-Fresh -Store $script:Store {
            'tonysmith', 'nobody', 'amyalberts' | Get-UMMailboxPIN 2>&1 |
                ForEach-Object { if ($_ -is [System.Management.Automation.ErrorRecord]) { 'error' } else { $_.UserID } }
            'tonysmith', 'nobody', 'amyalberts' | Get-UMMailboxPIN -ErrorAction SilentlyContinue -ErrorVariable problems -OutVariable states | Out-Null
            "$(@($problems).Count) $(@($states).Count)"
            try { 'tonysmith', 'nobody', 'amyalberts' | Get-UMMailboxPIN -ErrorAction Stop | ForEach-Object UserID } catch { $_.FullyQualifiedErrorId }
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('tonysmith@contoso.com', 'error', 'amyalberts@contoso.com', '1 2', 'tonysmith@contoso.com',
            'ManagementObjectNotFound,Get-UMMailboxPIN')
    }
}
