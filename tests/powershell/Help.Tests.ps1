BeforeDiscovery {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $topics = foreach ($module in 'UMMailboxPin', 'UMMailboxPin.Directory') {
        $folder = [System.IO.Path]::Combine((Get-StagedPath), $module)
        $manifest = Import-PowerShellDataFile -LiteralPath ([System.IO.Path]::Combine($folder, "$module.psd1"))
        foreach ($name in $manifest.FunctionsToExport) { @{ Topic = $name; About = '' } }
        foreach ($file in [System.IO.Directory]::GetFiles([System.IO.Path]::Combine($folder, 'en-US'), 'about_*.help.txt')) {
            @{ Topic = [System.IO.Path]::GetFileName($file).Replace('.help.txt', ''); About = $file }
        }
    }
    $commands = @($topics | Where-Object { -not $_.About })
    $abouts = @($topics | Where-Object About)
}
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    # Of each command: its help as PowerShell reads it, with the parameters' types and defaults.
    $script:Run = Invoke-Fresh {
        Import-Module UMMailboxPin.Directory
        # Says where a browser would be sent, and starts none; but reads no help file either.
        function Get-OnlineHelp {
            param([string] $Name)

            [System.Management.Automation.Internal.InternalTestHooks]::SetTestHook('BypassOnlineHelpRetrieval', $true)
            Get-Help $Name -Online
            [System.Management.Automation.Internal.InternalTestHooks]::SetTestHook('BypassOnlineHelpRetrieval', $false)
        }
        foreach ($command in Get-Command -Module UMMailboxPin, UMMailboxPin.Directory) {
            $help = Get-Help $command.Name -Full
            $texts = @($help.description.Text) + @($help.parameters.parameter | ForEach-Object { $_.description.Text }) +
                @($help.examples.example | ForEach-Object { $_.remarks.Text })
            [pscustomobject] @{
                Name     = $command.Name
                Synopsis = "$($help.Synopsis)".Trim()
                Description = "$($help.description.Text)"
                Undescribed = @($help.parameters.parameter | Where-Object { -not $_.description -and $_.name -notin 'WhatIf', 'Confirm' } | ForEach-Object name)
                Texts    = @($texts | Where-Object { $_ })
                Examples = @($help.examples.example | ForEach-Object { $_.code })
                Defaults = @(foreach ($parameter in $help.parameters.parameter) {
                        $type = $command.Parameters[$parameter.name].ParameterType
                        if ($type.IsValueType -and $type -ne [switch] -and $type -ne [datetime]) { "$($parameter.name)=$($parameter.defaultValue)" }
                    })
                Online   = "$(Get-OnlineHelp $command.Name)"
                Uri      = $command.HelpUri
            }
        }
    }
    $script:Help = @{}
    foreach ($one in $script:Run.Output) { $script:Help[$one.Name] = $one }

    # What the examples find in their folder.
    function New-Sandbox {
        $store = New-TestStore
        $csv = [System.IO.File]::ReadAllText((Get-Fixture 'contoso.csv'))
        [System.IO.File]::WriteAllText([System.IO.Path]::Combine($store, 'mailboxes.csv'), $csv)
        [System.IO.File]::WriteAllText([System.IO.Path]::Combine($store, 'users.csv'), "Identity`ntonysmith`nkakers`n")
        [System.IO.File]::WriteAllText([System.IO.Path]::Combine($store, 'leavers.txt'), "tonysmith`nkakers`n")
        [System.IO.File]::WriteAllText([System.IO.Path]::Combine($store, 'contoso.ldf'), (@(
                    'dn: CN=Ada Example,OU=Sales,DC=contoso,DC=com', 'changetype: add', 'objectClass: user', 'cn: Ada Example', 'name: Ada Example',
                    'sAMAccountName: aexample', 'mailNickname: aexample', 'userPrincipalName: aexample@contoso.com', 'proxyAddresses: SMTP:aexample@contoso.com', '') -join "`n"))
        $store
    }

    # Runs lines of code one after the other, in the sandbox, as somebody who tries them would; gives the errors, each with its line.
    function Invoke-Example {
        param([string] $Store, [string[]] $Code)

        Invoke-Fresh -Store $Store -Variables @{ Code = $Code } {
            Set-Location $env:UMPIN_HOME
            $ErrorActionPreference = 'Continue'
            $WarningPreference = 'SilentlyContinue'
            Import-Module UMMailboxPin.Directory
            function Read-Host { ConvertTo-SecureString '739155' -AsPlainText -Force }
            $share = $env:UMPIN_HOME
            Set-UMMailboxPIN kakers -LockedOut $true
            Export-UMPinAudit .\audit-2024.jsonl
            foreach ($old in 'audit-2025.jsonl', 'audit.jsonl') { [System.IO.File]::Copy("$PWD/audit-2024.jsonl", "$PWD/$old", $true) }
            foreach ($code in $V.Code) {
                if ($code -match 'Export-UMPinAudit' -and $code -notmatch '-Force') { [System.IO.File]::Delete("$PWD/audit-2025.jsonl") }
                $global:Error.Clear()
                try { $null = & ([scriptblock]::Create($code)) } catch { "$code : $_" }
                foreach ($fault in $global:Error) { "$code : $fault" }
            }
        }
    }
}

Describe 'The help of <Topic>' -ForEach $commands {
    It 'has examples, and each succeeds' -Tag Embedded {
        # Imports, and a store that may be removed: the sandbox is an embedded directory.
        $code = $script:Help[$Topic].Examples
        @($code).Count | Should -BeGreaterOrEqual 2
        $store = New-Sandbox
        try {
            $run = Invoke-Example $store $code
            $run.Output | Should -BeNullOrEmpty -Because $run.All
            $run.ErrorText | Should -BeNullOrEmpty
        }
        finally { Remove-TestFolder $store }
    }

    It 'has a synopsis, a description, and each parameter described' {
        $help = $script:Help[$Topic]
        $help.Synopsis | Should -Not -Match ([regex]::Escape($Topic)) -Because 'PowerShell shows the syntax where there is no help'
        $help.Description | Should -Not -BeNullOrEmpty
        $help.Undescribed | Should -BeNullOrEmpty
    }

    It 'is not wrapped by hand' {
        foreach ($text in $script:Help[$Topic].Texts) {
            foreach ($paragraph in $text -split '(?:\r?\n){2,}') {
                # A list has a line for each item.
                @($paragraph.Trim() -split '\r?\n' | Where-Object { $_ -notmatch '^\s*(- |\d+\. | {4})' }).Count |
                    Should -BeLessOrEqual 1 -Because "a host wraps the lines of '$paragraph' itself"
            }
        }
    }

    It 'shows no default that is not one' {
        $expected = @{
            'Set-UMMailboxPIN' = 'PinExpired=True', 'LockedOut=False', 'SendEmail=True', 'ThrottleLimit=1'
            'Lock-UMMailbox'   = @('PinExpired=As before')
            'Unlock-UMMailbox' = @('PinExpired=As before')
        }
        if ($expected.ContainsKey($Topic)) { $script:Help[$Topic].Defaults | Should -Be $expected[$Topic] }
        else {
            # PowerShell shows False and 0 where the function says nothing.
            $script:Help[$Topic].Defaults | Where-Object { $_ -match '=(False|0)$' } | Should -BeNullOrEmpty
        }
    }

    It 'is found online' {
        $script:Help[$Topic].Uri | Should -BeLike 'https://learn.microsoft.com/powershell/module/exchange/*'
        $script:Help[$Topic].Online | Should -Match ([regex]::Escape($script:Help[$Topic].Uri))
    }
}

Describe 'The help of the commands' {
    It 'is found under a display language that it is not written in' {
        $run = Invoke-Fresh {
            [cultureinfo]::CurrentUICulture = 'de-DE'
            Import-Module UMMailboxPin.Directory
            foreach ($name in 'Set-UMMailboxPIN', 'Get-Mailbox') { (Get-Help $name).Synopsis.Trim() }
        }
        $run.Output | Should -Be @($script:Help['Set-UMMailboxPIN'].Synopsis, $script:Help['Get-Mailbox'].Synopsis)
    }

    It 'is found without an import' {
        $run = Invoke-Fresh { (Get-Help Get-Mailbox).Synopsis.Trim() }
        $run.Output | Should -Be @($script:Help['Get-Mailbox'].Synopsis)
    }
}

Describe 'The topic <Topic>' -ForEach $abouts {
    It 'fits 80 columns, which PowerShell does not wrap it to' {
        [System.IO.File]::ReadAllLines($About) | Where-Object Length -GT 79 | Should -BeNullOrEmpty
    }

    It 'has examples that succeed' -Tag Embedded {
        # A block between empty lines that is indented further than the text around it; and a setting in the text.
        $lines = [System.IO.File]::ReadAllLines($About)
        $blocks = ($lines -join "`n") -split '\n\s*\n' | Where-Object { -not ($_ -split "`n" | Where-Object { $_ -notmatch '^ {8}' }) }
        $inline = @($lines | ForEach-Object { [regex]::Matches($_, '\$PSDefaultParameterValues\[[^]]+\] = \d+').Value } | Where-Object { $_ })
        $store = New-Sandbox
        try {
            $run = Invoke-Example $store (@($inline) + @($blocks) | Where-Object { $_ })
            $run.Output | Should -BeNullOrEmpty -Because $run.All
        }
        finally { Remove-TestFolder $store }
    }

    It 'is found by Get-Help' {
        $run = Invoke-Fresh -Variables @{ Topic = $Topic } { Import-Module UMMailboxPin.Directory; (Get-Help $V.Topic | Out-String).Length }
        $run.Output[0] | Should -BeGreaterThan 500
    }
}
