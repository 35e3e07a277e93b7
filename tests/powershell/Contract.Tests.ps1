BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
    $script:Common = [System.Management.Automation.PSCmdlet]::CommonParameters
    $script:Run = Invoke-Fresh {
        Import-Module UMMailboxPin.Directory
        foreach ($command in Get-Command -Module UMMailboxPin, UMMailboxPin.Directory) {
            $common = [System.Management.Automation.PSCmdlet]::CommonParameters
            $help = Get-Help $command.Name -Full
            $parameters = foreach ($name in $command.Parameters.Keys | Where-Object { $_ -notin $common }) {
                $parameter = $command.Parameters[$name]
                $attribute = $parameter.Attributes | Where-Object { $_ -is [System.Management.Automation.ParameterAttribute] }
                $text = $help.parameters.parameter | Where-Object { $_.name -eq $name }
                [pscustomobject] @{
                    Name = $name; Type = $parameter.ParameterType.FullName; Mandatory = $attribute.Mandatory; Position = $attribute.Position
                    ByValue = $attribute.ValueFromPipeline; ByName = $attribute.ValueFromPipelineByPropertyName
                    Aliases = $parameter.Aliases -join ','
                    Help = if ($text -and $text.PSObject.Properties['description']) { ($text.description | Out-String).Trim() } else { '' }
                }
            }
            [pscustomobject] @{
                Name = $command.Name; Module = $command.ModuleName; Sets = @($command.ParameterSets).Count; Parameters = @($parameters)
                Synopsis = $help.Synopsis; Description = ($help.description | Out-String).Trim(); Examples = @($help.examples.example).Count
                ExampleCode = @($help.examples.example | ForEach-Object { $_.code })
                Impact = $command.ScriptBlock.Attributes | Where-Object { $_ -is [System.Management.Automation.CmdletBindingAttribute] } |
                    ForEach-Object { "$($_.SupportsShouldProcess)/$($_.ConfirmImpact)" }
            }
        }
    }
    $script:Commands = @{}
    foreach ($command in $script:Run.Output) { $script:Commands[$command.Name] = $command }
}

Describe 'The commands' {
    It 'are exactly those of the manifests' {
        $script:Run.ErrorText | Should -BeNullOrEmpty
        ($script:Commands.Keys | Sort-Object) -join ' ' |
            Should -Be (@('Clear-UMMailboxPIN Export-UMPinAudit Get-Mailbox Get-UMMailbox Get-UMMailboxPIN Get-UMMailboxPolicy Get-UMPinAudit Get-UMPinNotification'
                'Import-UMDirectory Lock-UMMailbox Remove-UMDirectoryMailbox Send-UMPinNotification Set-UMMailboxPIN Test-UMConfiguration'
                'Test-UMMailboxPIN Unlock-UMMailbox Update-UMPinKey') -join ' ')
    }

    It 'have one parameter set each' {
        foreach ($command in $script:Commands.Values) { $command.Sets | Should -Be 1 -Because $command.Name }
    }

    It 'document themselves and every parameter, with at least two examples' {
        foreach ($command in $script:Commands.Values) {
            $command.Synopsis | Should -Not -BeNullOrEmpty -Because $command.Name
            $command.Description | Should -Not -BeNullOrEmpty -Because $command.Name
            $command.Examples | Should -BeGreaterOrEqual 2 -Because $command.Name
            foreach ($parameter in $command.Parameters | Where-Object { $_.Name -notin 'WhatIf', 'Confirm' }) {
                $parameter.Help | Should -Not -BeNullOrEmpty -Because "$($command.Name) -$($parameter.Name)"
            }
        }
    }
}

Describe 'Set-UMMailboxPIN' {
    It 'has parameter <Name> as the original' -ForEach @(
        @{ Name = 'Identity'; Type = 'UMMailboxPin.MailboxIdParameter'; Mandatory = $true; Position = 0; Pipeline = $true }
        @{ Name = 'Pin'; Type = 'System.String'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false }
        @{ Name = 'PinExpired'; Type = 'System.Boolean'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false }
        @{ Name = 'LockedOut'; Type = 'System.Boolean'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false }
        @{ Name = 'NotifyEmail'; Type = 'System.String'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false }
        @{ Name = 'SendEmail'; Type = 'System.Boolean'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false }
        @{ Name = 'DomainController'; Type = 'UMMailboxPin.Fqdn'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false }
        @{ Name = 'IgnoreDefaultScope'; Type = 'System.Management.Automation.SwitchParameter'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false }
        @{ Name = 'WhatIf'; Type = 'System.Management.Automation.SwitchParameter'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false; Alias = 'wi' }
        @{ Name = 'Confirm'; Type = 'System.Management.Automation.SwitchParameter'; Mandatory = $false; Position = [int]::MinValue; Pipeline = $false; Alias = 'cf' }
    ) {
        $parameter = $script:Commands['Set-UMMailboxPIN'].Parameters | Where-Object Name -EQ $Name
        $parameter.Type | Should -Be $Type
        $parameter.Mandatory | Should -Be $Mandatory
        $parameter.Position | Should -Be $Position
        $parameter.ByValue | Should -Be $Pipeline
        $parameter.ByName | Should -Be $Pipeline
        $parameter.Aliases | Should -Be "$Alias"
    }

    It 'adds PassThru, KeepPin and ThrottleLimit and nothing else' {
        $known = 'Identity', 'Pin', 'PinExpired', 'LockedOut', 'NotifyEmail', 'SendEmail', 'DomainController', 'IgnoreDefaultScope', 'WhatIf', 'Confirm'
        ($script:Commands['Set-UMMailboxPIN'].Parameters.Name | Where-Object { $_ -notin $known } | Sort-Object) -join ' ' |
            Should -Be 'KeepPin PassThru ThrottleLimit'
    }

    It 'asks only those who want to be asked' {
        $script:Commands['Set-UMMailboxPIN'].Impact | Should -Be 'True/Medium'
    }

    It 'shows the shape of each original example' -ForEach @(
        'Set-UMMailboxPIN -Identity tonysmith@contoso.com'
        'Set-UMMailboxPIN -Identity tonysmith@contoso.com -Pin 1985848 -PinExpired $true'
        'Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $true'
        'Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $false'
    ) {
        $script:Commands['Set-UMMailboxPIN'].ExampleCode | Should -Contain $_
    }
}

Describe 'Get-UMMailboxPIN' {
    It 'has the parameters of the original' {
        ($script:Commands['Get-UMMailboxPIN'].Parameters.Name | Sort-Object) -join ' ' |
            Should -Be 'Credential DomainController Identity IgnoreDefaultScope IgnoreErrors ReadFromDomainController ResultSize'
    }

    It 'shows ResultSize as Unlimited' {
        ($script:Commands['Get-UMMailboxPIN'].Parameters | Where-Object Name -EQ ResultSize).Type | Should -Be 'UMMailboxPin.Unlimited'
    }
}

Describe 'The staged files' {
    BeforeDiscovery {
        . "$PSScriptRoot/Support/Fresh.ps1"
        $files = foreach ($module in 'UMMailboxPin', 'UMMailboxPin.Directory') {
            @{ Module = $module; Path = [System.IO.Path]::Combine((Get-StagedPath), $module, "$module.psm1") }
        }
    }

    It '<Module> uses nothing that Windows PowerShell 5.1 cannot parse' -ForEach $files {
        $tokens = $null
        $problems = $null
        $tree = [System.Management.Automation.Language.Parser]::ParseFile($Path, [ref] $tokens, [ref] $problems)
        $problems | Should -BeNullOrEmpty
        $kinds = 'QuestionMark', 'QuestionQuestion', 'QuestionQuestionEquals', 'QuestionDot', 'QuestionLBracket', 'AndAnd', 'OrOr', 'Clean'
        $tokens | Where-Object { "$($_.Kind)" -in $kinds } | ForEach-Object { "$($_.Text) in line $($_.Extent.StartLineNumber)" } |
            Should -BeNullOrEmpty
        $tree.FindAll({ $args[0].GetType().Name -eq 'TernaryExpressionAst' }, $true) | Should -BeNullOrEmpty
    }

    It '<Module> has the code of its source files and no comments' -ForEach $files {
        function Get-Code {
            param([string] $File)

            $tokens = $null
            $problems = $null
            $null = [System.Management.Automation.Language.Parser]::ParseFile($File, [ref] $tokens, [ref] $problems)
            $tokens | Where-Object { "$($_.Kind)" -notin 'Comment', 'NewLine', 'EndOfInput' } | ForEach-Object Text
            $script:Comments = @($tokens | Where-Object { "$($_.Kind)" -eq 'Comment' } | ForEach-Object Text)
        }
        $source = [System.IO.Path]::Combine($script:Repository, 'powershell', $Module)
        $sources = @(foreach ($folder in 'Private', 'Public') {
                $folder = [System.IO.Path]::Combine($source, $folder)
                if ([System.IO.Directory]::Exists($folder)) {
                    $scripts = [System.IO.Directory]::GetFiles($folder, '*.ps1')
                    [array]::Sort($scripts, [System.StringComparer]::Ordinal)
                    $scripts
                }
            }) + [System.IO.Path]::Combine($source, "$Module.psm1")
        @(Get-Code $Path) -join ' ' | Should -Be (@($sources | ForEach-Object { Get-Code $_ }) -join ' ')
        $null = Get-Code $Path
        $script:Comments.Count | Should -Be 1 -Because "the first line says where the code comes from; the comments were $script:Comments"
    }

    It '<Module> has no script file that takes long to parse' -ForEach $files {
        # About a millisecond for each kilobyte, in every session that imports it.
        ([System.IO.FileInfo] $Path).Length | Should -BeLessOrEqual 25KB
    }

    It '<Module> dot-sources nothing and calls the cmdlets of other modules by their full names' -ForEach $files {
        $tokens = $null
        $problems = $null
        $tree = [System.Management.Automation.Language.Parser]::ParseFile($Path, [ref] $tokens, [ref] $problems)
        $own = $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.FunctionDefinitionAst] }, $true).Name
        $calls = $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)
        $calls | Where-Object { $_.InvocationOperator -eq 'Dot' } | Should -BeNullOrEmpty
        # Set-StrictMode sets the mode of the scope it is called in and is of the engine's own module.
        $calls | ForEach-Object { $_.GetCommandName() } | Where-Object { $_ -and $_ -notin $own -and $_ -notmatch '\\' -and $_ -ne 'Set-StrictMode' } |
            Should -BeNullOrEmpty
    }

    It '<Module> has a valid manifest for both editions without wildcards' -ForEach $files {
        $manifest = Import-PowerShellDataFile -LiteralPath ($Path -replace 'psm1$', 'psd1')
        $manifest.PowerShellVersion | Should -Be '5.1'
        $manifest.CompatiblePSEditions -join ' ' | Should -Be 'Desktop Core'
        "$($manifest.FunctionsToExport)" | Should -Not -Match '\*'
        foreach ($name in 'CmdletsToExport', 'VariablesToExport', 'AliasesToExport') { @($manifest[$name]).Count | Should -Be 0 }
    }

    It 'agree about the version' {
        $root = [System.IO.Path]::Combine((Get-StagedPath), 'UMMailboxPin')
        $manifest = Import-PowerShellDataFile -LiteralPath ([System.IO.Path]::Combine($root, 'UMMailboxPin.psd1'))
        $assembly = [System.Reflection.AssemblyName]::GetAssemblyName([System.IO.Path]::Combine($root, 'bin', 'UMMailboxPin.Interop.dll'))
        $assembly.Version.ToString(3) | Should -Be $manifest.ModuleVersion
        $directory = Import-PowerShellDataFile -LiteralPath (
            [System.IO.Path]::Combine((Get-StagedPath), 'UMMailboxPin.Directory', 'UMMailboxPin.Directory.psd1'))
        $directory.ModuleVersion | Should -Be $manifest.ModuleVersion
        $directory.RequiredModules[0].RequiredVersion | Should -Be $manifest.ModuleVersion
    }
}

Describe 'The error catalogue' {
    It 'names only exception classes and categories that exist' {
        $run = Invoke-Fresh {
            Import-Module UMMailboxPin
            foreach ($id in [UMMailboxPin.ErrorCatalogue]::Ids) {
                $type = [UMMailboxPin.ErrorCatalogue]::Exception($id, 'a message').GetType()
                [pscustomobject] @{
                    Id = $id; Entry = "$id $($type.Name) $([UMMailboxPin.ErrorCatalogue]::Category($id))"
                    IsException = $type.Namespace -eq 'UMMailboxPin' -and $type.IsPublic
                    Category = [Enum]::IsDefined([System.Management.Automation.ErrorCategory], [UMMailboxPin.ErrorCatalogue]::Category($id))
                    IsArgument = [ArgumentException].IsAssignableFrom($type)
                    Constructors = ($null -ne $type.GetConstructor([type[]] @([string]))) -and ($null -ne $type.GetConstructor([type[]] @([string], [Exception])))
                }
            }
        }
        $run.Output.Count | Should -Be 30
        # Variant = number, "Id", "Exception", "Category", …: outcomes below 100 are no errors.
        $table = [System.IO.File]::ReadAllText([System.IO.Path]::Combine($script:Repository, 'crates', 'core', 'src', 'error.rs'))
        $expected = @(
            [regex]::Matches($table, '(?m)^    \w+ = \d{3}, "(\w+)", "(\w+)", "(\w+)", ') | ForEach-Object { ($_.Groups[1..3].Value) -join ' ' }
            'NativeLibraryMissing NativeLibraryException NotInstalled'
            'NativeLibraryMismatch NativeLibraryException NotInstalled'
        ) | Sort-Object -Unique
        $run.Output | ForEach-Object { $_.Entry } | Sort-Object | Should -Be $expected
        foreach ($entry in $run.Output) {
            $entry.IsException -and $entry.Category -and $entry.Constructors | Should -BeTrue -Because $entry.Id
        }
        ($run.Output | Where-Object IsArgument | ForEach-Object Id | Sort-Object) -join ' ' |
            Should -Be 'AuditFileUnusable InvalidIdentity InvalidNotifyEmail InvalidParameterCombination InvalidPolicySetting NoNotificationAddress'
    }
}
