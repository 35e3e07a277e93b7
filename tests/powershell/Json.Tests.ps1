BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    Import-Module ([System.IO.Path]::Combine((Get-StagedPath), 'UMMailboxPin'))
}

Describe 'JSON that goes to the library' {
    It 'is read back by PowerShell as what it was' {
        $text = "quote "" backslash \ slash / tab `t line`r`nend $([char] 1) $([char] 0x1F) " +
            "$([char] 0xE9) $([char] 0x2028) $([char]::ConvertFromUtf32(0x1F600))"
        $request = @{ text = $text; yes = $true; no = $false; number = 42; nothing = $null }
        $json = [UMMailboxPin.Json]::Write($request)
        $read = ConvertFrom-Json $json
        $read.v | Should -Be 1
        $read.text | Should -BeExactly $text
        $read.yes | Should -BeTrue
        $read.no | Should -BeFalse
        $read.number | Should -Be 42
        $read.nothing | Should -BeNullOrEmpty
    }

    It 'may hold tables' {
        [UMMailboxPin.Json]::Write(@{ outer = @{ 'a"b' = 'c' } }) | Should -BeExactly '{"v":1,"outer":{"a\"b":"c"}}'
        [UMMailboxPin.Json]::Write(@{ outer = @{} }) | Should -BeExactly '{"v":1,"outer":{}}'
    }

    It 'takes text with extended properties as text' {
        $line = Add-Member -InputObject 'tony' -NotePropertyName PSPath -NotePropertyValue 'x' -PassThru
        [UMMailboxPin.Json]::Write(@{ identity = $line }) | Should -BeExactly '{"v":1,"identity":"tony"}'
    }
}

Describe 'JSON that comes from the library' {
    It 'is read as PowerShell wrote it' {
        $text = "quote "" backslash \ tab `t line`r`nend $([char] 0xE9) $([char]::ConvertFromUtf32(0x1F600))"
        $json = ConvertTo-Json -Compress -Depth 5 @{ text = $text; list = @(1, @{ a = 'b' }, @()); flag = $true; none = $null }
        $read = [UMMailboxPin.Json]::Read($json)
        $read['text'] | Should -BeExactly $text
        $read['list'].Count | Should -Be 3
        $read['list'][1]['a'] | Should -BeExactly 'b'
        $read['list'][2].Count | Should -Be 0
        $read['flag'] | Should -BeTrue
        $read.ContainsKey('none') | Should -BeTrue
    }

    It 'keeps text that looks like a date, and large numbers' {
        $read = [UMMailboxPin.Json]::Read('{"when":"2026-11-23T10:00:00Z","millis":1795428000000,"small":-7,"part":1.5e2}')
        $read['when'] | Should -BeOfType ([string])
        $read['when'] | Should -BeExactly '2026-11-23T10:00:00Z'
        $read['millis'] | Should -Be 1795428000000
        $read['small'] | Should -Be -7
        $read['part'] | Should -Be 150
    }

    It 'reads escapes' {
        [UMMailboxPin.Json]::Read('"\u0041\ud83d\ude00\/\b\f\n\r\t\"\\"') |
            Should -BeExactly ("A$([char]::ConvertFromUtf32(0x1F600))/`b`f`n`r`t""\")
    }

    It 'is $null, and no exception, for <Bad>' -ForEach @(
        '', '{', '[1', '{"a":}', '{"a" 1}', '{a:1}', '[1,]', '01', '1.', '1e', '-', 'tru', '"a', "`"a`nb`"", '"\x"', '"\u12"', '{} {}',
        ('[' * 100) | ForEach-Object { @{ Bad = $_ } }
    ) {
        $Error.Clear()
        [UMMailboxPin.Json]::Read($Bad) | Should -BeNullOrEmpty
        $Error.Count | Should -Be 0
    }
}
