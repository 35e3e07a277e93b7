# The documents tell the truth: every fenced command runs, in its order, and shows what is quoted. (The configurations are loaded
# by the Rust tests, src/config/documented_tests.rs; the examples of the help by Help.Tests.ps1.)

BeforeDiscovery {
    . "$PSScriptRoot/Support/Markdown.ps1"
    $root = [System.IO.Path]::GetFullPath("$PSScriptRoot/../..")
    $documents = @(
        foreach ($path in @("$root/README.md", "$root/CONTRIBUTING.md", "$root/SECURITY.md") + @(Get-ChildItem "$root/docs" -Filter '*.md' | ForEach-Object { $_.FullName })) {
            $blocks = @(Get-FencedBlock $path)
            if ($blocks.Count -gt 0) {
                @{ Document = [System.IO.Path]::GetFileName($path); Path = $path; Blocks = $blocks }
            }
        }
    )
    # What is on Active Directory needs one; all else runs on the embedded directory.
    $onActiveDirectory = @($documents | Where-Object { $_.Document -eq 'active-directory.md' })
    $onEmbedded = @($documents | Where-Object { $_.Document -ne 'active-directory.md' })
}

BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    . "$PSScriptRoot/Support/Markdown.ps1"
    . "$PSScriptRoot/Support/DocumentRun.ps1"
}

Describe 'Every block of <Document>' -ForEach $documents -Tag Embedded {
    It 'names its language' {
        @($Blocks | Where-Object { @('powershell', 'json', 'sh', 'text', 'c', 'csv', 'ldif') -notcontains $_.Language } |
            ForEach-Object { "line $($_.Line): '$($_.Language)'" }) | Should -BeNullOrEmpty
    }

    It 'that quotes output follows the command that shows it' {
        for ($i = 0; $i -lt $Blocks.Count; $i++) {
            if ($Blocks[$i].Language -eq 'text') {
                $i | Should -BeGreaterThan 0
                $Blocks[$i - 1].Language | Should -BeIn 'powershell', 'sh' -Because "of line $($Blocks[$i].Line)"
            }
        }
    }
}

Describe 'The PowerShell of <Document>' -ForEach $onEmbedded -Tag Embedded {
    It 'runs and shows what is quoted' {
        Invoke-Document $Path | Should -BeNullOrEmpty
    }
}

Describe 'The PowerShell of <Document>' -ForEach $onActiveDirectory {
    It 'runs and shows what is quoted' -Skip:($env:UMPIN_TEST_DIRECTORY -ne 'activeDirectory') {
        Invoke-Document $Path | Should -BeNullOrEmpty
    }
}

Describe 'The shell commands of <Document>' -ForEach $documents -Tag Embedded {
    It 'run' -Skip:($env:OS -eq 'Windows_NT') {
        Invoke-ShellBlock $Path | Should -BeNullOrEmpty
    }
}
