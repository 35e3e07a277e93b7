# Runs what a document shows. Each function returns a line for everything that is not as the document says.

# A folder that looks like a checkout in which the modules are staged.
function New-Checkout {
    $folder = New-TestFolder
    foreach ($name in 'examples', 'include') {
        $null = New-Item -ItemType SymbolicLink -Path "$folder/$name" -Target "$script:Repository/$name"
    }
    $null = New-Item -ItemType SymbolicLink -Path "$folder/people.csv" -Target "$script:Repository/examples/sample-directory.csv"
    $null = New-Item -ItemType Directory -Path "$folder/target"
    $null = New-Item -ItemType SymbolicLink -Path "$folder/target/module" -Target (Get-StagedPath)
    $folder
}

function Invoke-Document {
    param([string] $Path)

    $all = @(Get-FencedBlock $Path)
    $blocks = @($all | Where-Object { $_.Language -eq 'powershell' })
    if ($blocks.Count -eq 0) {
        return
    }
    $checkout = New-Checkout
    $store = New-TestStore
    try {
        if (-not $script:OnActiveDirectory) {
            # The people whom the documents name.
            $filled = Invoke-Fresh -Store $store -Variables @{ Sample = "$checkout/examples/sample-directory.csv" } -Script {
                Import-UMDirectory -Path $V.Sample
            }
            if ($filled.ErrorText) { throw $filled.ErrorText }
        }
        [System.IO.File]::WriteAllText("$checkout/blocks.json", (ConvertTo-Json -InputObject @($blocks | ForEach-Object { $_.Text })))
        $run = Invoke-Fresh -Store $store -Variables @{ Checkout = $checkout; Run = "$PSScriptRoot/Run-Blocks.ps1" } -Script {
            Set-Location -LiteralPath $V.Checkout
            & $V.Run -Blocks "$($V.Checkout)/blocks.json" -Result "$($V.Checkout)/result.json"
        }
        if (-not [System.IO.File]::Exists("$checkout/result.json")) {
            return "the session ended early: $($run.All)"
        }
        $results = @(ConvertFrom-Json ([System.IO.File]::ReadAllText("$checkout/result.json")))
        for ($i = 0; $i -lt $blocks.Count; $i++) {
            foreach ($message in $results[$i].Errors) {
                "line $($blocks[$i].Line): $message"
            }
            $next = $all[[array]::IndexOf($all, $blocks[$i]) + 1]
            if ($next -and $next.Language -eq 'text' -and -not (Compare-QuotedOutput $next.Text $results[$i].Shown)) {
                "line $($next.Line) quotes another output; shown was:`n$($results[$i].Shown)"
            }
        }
    }
    finally {
        Remove-TestFolder $store
        Remove-TestFolder $checkout
    }
}

# What cannot be run here, by how it begins, and what stands for it instead.
$script:ElsewhereTested = @{
    'cargo xtask demo'  = 'the part "demonstration" of `cargo xtask test`, which runs this test'
    'cargo xtask test'  = 'the command that runs this test'
    'dsacls '           = 'Windows; the document says that it has not been run'
    'sid=$(samba-tool ' = 'tests/active_directory/rights.rs, which reads the lines from the document'
}

# The shell's blocks of a document, each on its own. As root they run on copies of the machine's folders, which vanish.
function Invoke-ShellBlock {
    param([string] $Path)

    $blocks = @(Get-FencedBlock $Path | Where-Object { $_.Language -eq 'sh' })
    if ($blocks.Count -eq 0) {
        return
    }
    $checkout = New-Checkout
    try {
        # The library that was built for the tests stands for the one that the first line would build.
        $null = New-Item -ItemType SymbolicLink -Path "$checkout/target/release" -Target (Get-LibraryFolder)
        [System.IO.File]::WriteAllText("$checkout/my-program.c", @'
#include <stdio.h>
#include <umpin.h>
int main(void) { return printf("%u\n", umpin_abi_version()) > 0 ? 0 : 1; }
'@)
        $null = New-Item -ItemType Directory -Path "$checkout/bin"
        [System.IO.File]::WriteAllText("$checkout/bin/cargo", "#!/bin/sh`n[ `"`$*`" = 'build --release' ]`n")
        [System.IO.File]::WriteAllText("$checkout/bin/sendmail", "#!/bin/sh`nexec cat >/dev/null`n")
        chmod 755 "$checkout/bin/cargo" "$checkout/bin/sendmail"
        foreach ($block in $blocks) {
            if (@($script:ElsewhereTested.Keys | Where-Object { $block.Text.StartsWith($_) }).Count -gt 0) {
                continue
            }
            [System.IO.File]::WriteAllText("$checkout/block.sh", $block.Text)
            $output = sh "$PSScriptRoot/run-block.sh" $checkout "$checkout/block.sh" 2>&1
            if ($LASTEXITCODE -ne 0) {
                "line $($block.Line): ended with ${LASTEXITCODE}: $output"
            }
        }
    }
    finally {
        Remove-TestFolder $checkout
    }
}

# Where the native library is that the staged module has a copy of.
function Get-LibraryFolder {
    @(Get-ChildItem -Path (Get-StagedPath) -Recurse -Include 'libumpin.so', 'libumpin.dylib')[0].DirectoryName
}
