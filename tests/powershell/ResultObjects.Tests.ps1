# What the commands write: sealed classes, whose properties are a value or $null wherever they are read.
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    $script:Store = New-TestStore
    $import = $null
    if (-not $script:OnActiveDirectory) { $import = Get-Fixture 'contoso.csv' }
    $script:Run = Invoke-Fresh -Store $script:Store -Variables @{ Support = [System.IO.Path]::Combine($PSScriptRoot, 'Support'); Import = $import } {
        $collect = {
            param($Support, $Import, $Pin)

            $WarningPreference = 'SilentlyContinue'
            Import-Module UMMailboxPin.Directory
            . ([System.IO.Path]::Combine($Support, 'QueuedMessages.ps1'))
            $null = Add-QueuedMessage tonysmith, kakers
            Get-UMPinNotification
            Send-UMPinNotification tonysmith -PassThru
            Set-UMMailboxPIN amyalberts -Pin $Pin -PinExpired $false -PassThru
            Set-UMMailboxPIN ppinilla -PassThru
            Lock-UMMailbox zmueller -PassThru
            Unlock-UMMailbox zmueller -PassThru
            Test-UMMailboxPIN amyalberts -Pin $Pin
            Test-UMMailboxPIN ppinilla -Pin 111222
            Get-UMMailboxPIN
            Get-UMPinAudit
            Get-Mailbox
            Get-UMMailbox
            Get-UMMailboxPolicy
            if ($Import) { Import-UMDirectory -Path $Import -PassThru }
        }
        $objects = @(& $collect $V.Support $V.Import 739155)

        # Type, property and how often that is null, or counts as true.
        function Get-Census {
            param([object[]] $Objects, [scriptblock] $Counts)

            foreach ($group in $Objects | Group-Object { $_.PSObject.TypeNames[0] -replace '^Deserialized\.' }) {
                foreach ($name in $group.Group[0].PSObject.Properties.Name | Where-Object { $_ -notin 'PSComputerName', 'RunspaceId', 'PSShowComputerName', 'PSSourceJobInstanceId' }) {
                    '{0}.{1} {2}' -f $group.Name, $name, @($group.Group | Where-Object { & $Counts $_.$name }).Count
                }
            }
        }

        $types = @($objects | Group-Object { $_.PSObject.TypeNames[0] })
        $direct = Get-Census $objects { [bool] $args[0] }
        $job = @(Start-Job $collect -ArgumentList $V.Support, $V.Import, 846290 | Receive-Job -Wait -AutoRemoveJob)
        $objects | Export-Clixml -LiteralPath "$Work/objects.xml"
        $saved = @(Import-Clixml -LiteralPath "$Work/objects.xml")

        $tables = foreach ($type in $types) {
            $nulls = foreach ($name in $type.Group[0].PSObject.Properties.Name) {
                '{0} {1}' -f $name, ((@($type.Group | ForEach-Object { $null -eq $_.$name }) | ForEach-Object { [int] $_ }) -join '')
            }
            $fromJson = @(ConvertTo-Json -InputObject @($type.Group) -Depth 5 | ConvertFrom-Json)
            $inJson = foreach ($name in $type.Group[0].PSObject.Properties.Name) {
                '{0} {1}' -f $name, ((@($fromJson | ForEach-Object { $null -eq $_.$name }) | ForEach-Object { [int] $_ }) -join '')
            }
            $fromCsv = @($type.Group | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv)
            $inCsv = foreach ($name in $type.Group[0].PSObject.Properties.Name) {
                for ($i = 0; $i -lt $fromCsv.Count; $i++) {
                    if ($null -eq $type.Group[$i].$name -and $fromCsv[$i].$name) { "$($type.Name).$name is '$($fromCsv[$i].$name)' in CSV" }
                }
            }
            [pscustomobject] @{
                Name = $type.Name; Nulls = $nulls -join ';'; Json = $inJson -join ';'; Csv = @($inCsv) -join ';'
                Class = $type.Group[0].GetType().FullName; Sealed = $type.Group[0].GetType().IsSealed
                ReadOnly = @($type.Group[0].PSObject.Properties | Where-Object { -not $_.IsSettable }).Name -join ' '
                # Nothing at all, which no expression gives and Where-Object cannot see, beside $null.
                Void = @(foreach ($object in $type.Group) {
                        foreach ($property in $object.PSObject.Properties) {
                            if ($null -eq $property.Value -and @($property.Value).Count -eq 0) { $property.Name }
                        }
                    }) -join ' '
                Text = @($type.Group | ForEach-Object { "$_" } | Where-Object { -not $_ -or $_ -like 'UMMailboxPin.*' }).Count
            }
        }

        $mailbox = Get-UMMailboxPIN tonysmith
        $mailbox.Identity = 'changed'
        $mailbox.LockedSince = [datetime]::new(2025, 1, 1)
        $mailbox.LockedOut = $true
        [pscustomobject] @{
            Types = $tables; Direct = $direct; Saved = @(Get-Census $saved { [bool] $args[0] }); Job = @(Get-Census $job { [bool] $args[0] })
            JobTypes = @($job | ForEach-Object { $_.PSObject.TypeNames[0] } | Sort-Object -Unique)
            JobLocked = @($job | Where-Object { $_.PSObject.TypeNames[0] -like '*UMMailboxPin.UMMailboxPin' } | Where-Object LockedSince).Count
            Changed = "$($mailbox.Identity) $($mailbox.LockedSince.Year) $($mailbox.LockedOut)"
        }
    }
    $script:Result = @($script:Run.Output)[0]
    $script:Names = @(
        'AuditEntry', 'ImportResult', 'Mailbox', 'Notification', 'ResetResult', 'SentNotification', 'SignInResult', 'UMMailbox', 'UMMailboxPin',
        'UMMailboxPolicy' | Where-Object { $_ -ne 'ImportResult' -or -not $script:OnActiveDirectory } | ForEach-Object { "UMMailboxPin.$_" })
}
AfterAll { Remove-TestFolder $script:Store }

Describe 'Result objects' {
    It 'are of sealed classes with settable properties and a text of their own' {
        $script:Run.All | Should -BeNullOrEmpty
        @($script:Result.Types.Name | Sort-Object) | Should -Be $script:Names
        foreach ($type in $script:Result.Types) {
            $type.Class | Should -Be $type.Name
            $type.Sealed | Should -BeTrue -Because $type.Name
            $type.ReadOnly | Should -BeNullOrEmpty -Because $type.Name
            $type.Text | Should -Be 0 -Because "$($type.Name) as text"
        }
        $script:Result.Changed | Should -Be 'changed 2025 True'
    }

    It 'have a value or $null in every property' {
        foreach ($type in $script:Result.Types) { $type.Void | Should -BeNullOrEmpty -Because $type.Name }
    }

    It 'keep an empty property empty in JSON and in CSV' {
        foreach ($type in $script:Result.Types) {
            $type.Json | Should -Be $type.Nulls -Because $type.Name
            $type.Csv | Should -BeNullOrEmpty -Because $type.Name
        }
    }

    It 'count as true in a file exactly where they do here' {
        $script:Result.Saved | Should -Be $script:Result.Direct
    }

    It 'come out of a job with the same properties, of which the empty ones are false' {
        @($script:Result.JobTypes) | Should -Be @($script:Names | ForEach-Object { "Deserialized.$_" })
        @($script:Result.Job -replace ' \d+$') | Should -Be @($script:Result.Direct -replace ' \d+$')
        # Nobody was locked out: all of them were when empty dates were void.
        $script:Result.JobLocked | Should -Be 0
        # The job did it all once more, so that only what is never there can be compared.
        @($script:Result.Job -match ' 0$') | Should -Be @($script:Result.Direct -match ' 0$')
    }
}

Describe 'The commands' {
    BeforeAll {
        $script:Completion = Invoke-Fresh -Store $script:Store {
            Import-Module UMMailboxPin.Directory
            foreach ($command in Get-Command -Module UMMailboxPin, UMMailboxPin.Directory) {
                $text = "$($command.Name) | Where-Object "
                $type = @($command.OutputType)[0]
                [pscustomobject] @{
                    Name = $command.Name; Type = "$($type.Name)"; Resolves = $null -ne $type -and $null -ne $type.Type
                    Completes = @((TabExpansion2 $text $text.Length).CompletionMatches.CompletionText)
                    Properties = @(if ($type.Type) { $type.Type.GetProperties().Name })
                }
            }
        }
    }

    It 'say which class they write, and its properties complete after the pipe' {
        $script:Completion.ErrorText | Should -BeNullOrEmpty
        @($script:Completion.Output).Count | Should -Be 17
        $silent = @($script:Completion.Output | Where-Object { $_.Type -eq 'System.Void' })
        @($silent.Name | Sort-Object) | Should -Be @('Clear-UMMailboxPIN', 'Remove-UMDirectoryMailbox')
        foreach ($command in $script:Completion.Output | Where-Object { $_.Type -ne 'System.Void' }) {
            $command.Resolves | Should -BeTrue -Because "$($command.Name) writes $($command.Type)"
            $command.Properties.Count | Should -BeGreaterThan 4
            $command.Properties | Where-Object { $_ -notin $command.Completes } | Should -BeNullOrEmpty -Because $command.Name
        }
    }
}
