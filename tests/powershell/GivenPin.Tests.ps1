BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"
}

Describe 'The value of -Pin' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'is what was typed, and of a variable the digits' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 05738291 -PinExpired $false
            Test-UMMailboxPIN tonysmith -Pin 05738291 | ForEach-Object Outcome
            Test-UMMailboxPIN tonysmith 05738291 | ForEach-Object Outcome
            Test-UMMailboxPIN tonysmith -Pin:05738291 | ForEach-Object Outcome
            Test-UMMailboxPIN tonysmith -Pin '05738291' | ForEach-Object Outcome
            # Without the zero it is another number.
            Test-UMMailboxPIN tonysmith -Pin 5738291 | ForEach-Object Outcome
            $number = 739155
            foreach ($value in $number, [long] 739156, [decimal] 7391570, [decimal] '739158.00', 739159.0, [uint64] 739160, [bigint] 739161) {
                Set-UMMailboxPIN tonysmith -Pin $value -PinExpired $false
                $digits = '{0:f0}' -f $value
                '{0} {1}' -f $digits, (Test-UMMailboxPIN tonysmith -Pin $digits).Outcome
            }
            $parameters = @{ Identity = 'tonysmith'; Pin = ('{ "pin": 7391620 }' | ConvertFrom-Json).pin; PinExpired = $false }
            Set-UMMailboxPIN @parameters
            Test-UMMailboxPIN tonysmith -Pin 7391620 | ForEach-Object Outcome
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('Accepted', 'Accepted', 'Accepted', 'Accepted', 'Rejected',
            '739155 Accepted', '739156 Accepted', '7391570 Accepted', '739158 Accepted', '739159 Accepted', '739160 Accepted', '739161 Accepted',
            'Accepted')
    }

    It 'is not calculated from a literal: <Literal> is no number' -ForEach @(
        @{ Literal = '0x1F4A2' }, @{ Literal = '7e5' }, @{ Literal = '739kb' }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Script ([scriptblock]::Create(
                "Set-UMMailboxPIN tonysmith -Pin $Literal -ErrorAction SilentlyContinue -ErrorVariable problem; `$problem[0].Exception.Data['Rules']"))
        $run.Output | Should -Contain 'NotNumeric'
    }

    It 'may be a SecureString or a credential, for both commands alike' {
        $run = Invoke-Fresh -Store $script:Store {
            $secure = ConvertTo-SecureString '05738291' -AsPlainText -Force
            $credential = New-Object System.Management.Automation.PSCredential 'pin', (ConvertTo-SecureString '05738292' -AsPlainText -Force)
            foreach ($pin in $secure, $credential) {
                Set-UMMailboxPIN tonysmith -Pin $pin -PinExpired $false
                Test-UMMailboxPIN tonysmith -Pin $pin | ForEach-Object Outcome
            }
            Test-UMMailboxPIN tonysmith -Pin '05738292' | ForEach-Object Outcome
            # The caller's own are still the caller's.
            "$($secure.Length) $($credential.Password.Length)"
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('Accepted', 'Accepted', 'Accepted', '8 8')
    }

    It 'is refused when it is <Name>, before anything is counted or changed' -ForEach @(
        @{ Name = 'an array'; Value = "'739155', '739156'" }
        @{ Name = 'an array of one'; Value = '@(,''739155'')' }
        @{ Name = 'a table'; Value = '@{ Pin = ''739155'' }' }
        @{ Name = 'an object'; Value = '([pscustomobject] @{ Pin = ''739155'' })' }
        @{ Name = 'a truth value'; Value = '$true' }
        @{ Name = 'a date'; Value = '(Get-Date)' }
        @{ Name = 'a fraction'; Value = '739155.5' }
        @{ Name = 'a fraction in a decimal'; Value = '([decimal] 739155.5)' }
        @{ Name = 'a negative number'; Value = '(-739155)' }
        @{ Name = 'a number that is not exact'; Value = '([double] 1e20)' }
        @{ Name = 'a script block'; Value = '{ 739155 }' }
        @{ Name = 'a file'; Value = '(Get-Item $Work)' }
        @{ Name = 'an enumeration'; Value = '([System.DayOfWeek]::Friday)' }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Script ([scriptblock]::Create(@"
            Set-UMMailboxPIN tonysmith -Pin 580291 -PinExpired `$false
            `$before = (Get-UMMailboxPIN tonysmith).LastSet
            foreach (`$command in 'Set-UMMailboxPIN', 'Test-UMMailboxPIN') {
                try { & `$command tonysmith -Pin $Value } catch { `$_.FullyQualifiedErrorId; `$_.Exception.Message -match '739155' }
            }
            `$after = Get-UMMailboxPIN tonysmith
            "`$(`$after.FailedAttempts) `$(`$after.LastSet -eq `$before)"
"@))
        $run.Output | Should -Be @('ParameterArgumentTransformationError,Set-UMMailboxPIN', $false,
            'ParameterArgumentTransformationError,Test-UMMailboxPIN', $false, '0 True')
    }

    It 'is generated where it is empty, and needed by Test-UMMailboxPIN' {
        $run = Invoke-Fresh -Store $script:Store {
            foreach ($pin in '', $null, (New-Object System.Security.SecureString)) {
                (Set-UMMailboxPIN tonysmith -Pin $pin -PassThru).PinGenerated
                try { Test-UMMailboxPIN tonysmith -Pin $pin } catch { $_.FullyQualifiedErrorId }
            }
            (Get-UMMailboxPIN tonysmith).FailedAttempts
        }
        $run.Output | Should -Be @(($true, 'ParameterArgumentValidationError,Test-UMMailboxPIN') * 3 + 0)
    }

    It 'is a String to Get-Command' {
        $run = Invoke-Fresh {
            (Get-Command Set-UMMailboxPIN).Parameters['Pin'].ParameterType.Name
            (Get-Command Test-UMMailboxPIN).Parameters['Pin'].ParameterType.Name
        }
        $run.Output | Should -Be @('String', 'String')
    }
}

Describe 'The PIN of Test-UMMailboxPIN that was not given' {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'is an error at once where nobody can be asked: <Name>' -ForEach @(
        @{ Name = 'not interactive'; NonInteractive = $true }
        @{ Name = 'end of input'; NonInteractive = $false }
    ) {
        $run = Invoke-Fresh -Store $script:Store -NonInteractive:$NonInteractive {
            try { Test-UMMailboxPIN tonysmith } catch { "$($_.FullyQualifiedErrorId) $($_.ErrorDetails.RecommendedAction)" }
            $Error.Count
            (Get-UMMailboxPIN tonysmith).FailedAttempts
        }
        $run.Output | Should -Be @('MissingMandatoryParameter,Test-UMMailboxPIN Pass -Pin, or run the command where it can be asked for.', 1, 0)
    }

    It 'is asked for as a secret' {
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 739155 -PinExpired $false
            Add-Type -TypeDefinition ([System.IO.File]::ReadAllText($V.Host))
            $prompting = [UmpinTest.PromptingHost]::new('739155')
            $runspace = [runspacefactory]::CreateRunspace($prompting)
            $runspace.Open()
            $shell = [powershell]::Create()
            $shell.Runspace = $runspace
            $null = $shell.AddCommand('Test-UMMailboxPIN').AddParameter('Identity', 'tonysmith')
            $shell.Invoke() | ForEach-Object Outcome
            $prompting.Asked
        } -Variables @{ Host = [System.IO.Path]::Combine($PSScriptRoot, 'Support', 'PromptingHost.cs') }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('Accepted', 'Pin SecureString')
    }
}

Describe 'What is left of a PIN' {
    BeforeEach { $script:Store = New-TestStore }
    AfterEach { Remove-TestFolder $script:Store }

    It 'is in no variable at a nested prompt, which has the scope of the caller: <Command>' -ForEach @(
        @{ Command = 'Set-UMMailboxPIN'; Arguments = '-SendEmail $false' }
        @{ Command = 'Test-UMMailboxPIN'; Arguments = '' }
    ) {
        $run = Invoke-Fresh -Store $script:Store -Answers (@(
                'S'
                '"mine: $mine"'
                '"private: $(Get-Variable runtime, run, signIn -ErrorAction Ignore | ForEach-Object Name)"'
                '$text = foreach ($frame in Get-PSCallStack) { $frame.Arguments; $frame.GetFrameVariables().Values.Value; $frame.InvocationInfo.BoundParameters.Values; $frame.InvocationInfo.UnboundArguments }'
                '$text = $text | Where-Object { $null -ne $_ } | ForEach-Object { if ($_ -is [securestring]) { "secure $($_.Length)" } else { "$_" } }'
                '"found: $(($text -join " ") -match "7391554826|secure [1-9]")"'
                '"variables: $((Get-Variable | Out-String) -match "7391554826")"'
                'exit', 'Y', '') -join [Environment]::NewLine) -Script ([scriptblock]::Create(@"
            function Invoke-Caller {
                `$mine = 'of the caller'
                $Command tonysmith -Pin `$V.Pin -Confirm $Arguments
            }
            `$null = Invoke-Caller
            'went on'
"@)) -Variables @{ Pin = '7391554826' }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('went on')
        $run.Text | Should -Match '(?m)^mine: of the caller'
        $run.Text | Should -Match '(?m)^private: \r?$'
        $run.Text | Should -Match '(?m)^found: False'
    }

    It 'is not left behind by dot-sourcing' {
        $run = Invoke-Fresh -Store $script:Store {
            . Set-UMMailboxPIN tonysmith -Pin 7391554826 -SendEmail $false
            $null = . Test-UMMailboxPIN tonysmith -Pin 7391554826
            $module = Get-Module UMMailboxPin
            "caller: [$(Get-Variable Pin -ValueOnly -ErrorAction Ignore)]"
            (& $module { Get-Variable | Format-List Name, Value | Out-String }) -match '7391554826'
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output | Should -Be @('caller: []', $false)
    }
}
