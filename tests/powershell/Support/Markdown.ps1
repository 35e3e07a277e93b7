# The fenced blocks of a document, in order: Document, Line, Language (empty where none is named) and Text.
function Get-FencedBlock {
    param([string] $Path)

    $document = [System.IO.Path]::GetFileName($Path)
    $number = 0
    $block = $null
    foreach ($line in [System.IO.File]::ReadAllLines($Path)) {
        $number++
        if ($line -match '^\s*```(\w*)\s*$') {
            if ($null -eq $block) {
                $block = @{ Document = $document; Line = $number; Language = $Matches[1]; Lines = New-Object System.Collections.Generic.List[string] }
                continue
            }
            [pscustomobject] @{
                Document = $block.Document
                Line     = $block.Line
                Language = $block.Language
                Text     = $block.Lines -join "`n"
            }
            $block = $null
        }
        elseif ($null -ne $block) {
            $block.Lines.Add($line)
        }
    }
    if ($null -ne $block) {
        throw "${document}: the block that begins in line $($block.Line) does not end"
    }
}

# What the document quotes against what was shown: an ellipsis stands for anything, spaces at the ends of lines do not count.
function Compare-QuotedOutput {
    param([string] $Quoted, [string] $Shown)

    $trim = { param($text) @($text.Trim("`r", "`n").Split("`n") | ForEach-Object { $_.TrimEnd() }) -join "`n" }
    $pattern = [System.Management.Automation.WildcardPattern]::Escape((& $trim $Quoted)).Replace([string] [char] 0x2026, '*')
    (& $trim $Shown) -like $pattern
}
