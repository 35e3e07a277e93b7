# The programs of examples that send queued messages: the script, and the systemd unit that runs it under a fresh system account.
BeforeDiscovery {
    $script:CanRestrict = $IsLinux -and (id -u) -eq '0' -and (Get-Command unshare, setpriv -ErrorAction Ignore).Count -eq 2
}

BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    $script:Examples = [System.IO.Path]::Combine($script:Repository, 'examples')
    $script:Sending = [System.IO.Path]::Combine($script:Examples, 'Send-QueuedNotification.ps1')

    # A reset whose message stays queued: the pickup directory is not usable.
    function Add-Queued {
        param([string] $Store)

        $run = Invoke-Fresh -Store $Store -Variables @{ Support = "$PSScriptRoot/Support" } {
            . ([System.IO.Path]::Combine($V.Support, 'QueuedMessages.ps1'))
            $null = Add-QueuedMessage tonysmith -LeaveBlocked
            @(Get-UMPinNotification).Count
        }
        $run.Output | Should -Be @(1)
    }

    function Invoke-Sending {
        param([string] $Store, [string[]] $Arguments)

        $saved = $env:UMPIN_HOME
        $env:UMPIN_HOME = $Store
        try {
            $module = [System.IO.Path]::Combine((Get-StagedPath), 'UMMailboxPin')
            $text = & (Get-PowerShellPath) -NoLogo -NoProfile -NonInteractive -File $script:Sending -ModulePath $module @Arguments 2>&1
            [pscustomobject] @{ Code = $LASTEXITCODE; Text = ($text | Out-String) }
        }
        finally { $env:UMPIN_HOME = $saved }
    }

    # Runs the unit, or other arguments of PowerShell in its place.
    function Invoke-Unit {
        param([string] $Store, [string[]] $Arguments)

        $unit = [System.IO.Path]::Combine($script:Examples, 'systemd', 'umpin-notify.service')
        $shell = [System.IO.Path]::GetDirectoryName((Get-Item -LiteralPath (Get-PowerShellPath)).ResolvedTarget)
        $text = & "$PSScriptRoot/Support/run-unit.sh" $unit $Store $shell (Get-StagedPath) $script:Sending @Arguments 2>&1
        [pscustomobject] @{ Code = $LASTEXITCODE; Text = ($text | Out-String) }
    }
}

Describe 'A scheduled run' -Tag Embedded {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'is silent where nothing waits' {
        $run = Invoke-Sending $script:Store
        $run.Code | Should -Be 0 -Because $run.Text
        $run.Text.Trim() | Should -BeNullOrEmpty
    }

    It 'fails when a message waits that is older than the stated age, due or not, and not before' {
        Add-Queued $script:Store
        $young = Invoke-Sending $script:Store -Arguments '-OlderThanMinutes', '1000'
        $young.Code | Should -Be 0 -Because $young.Text
        $old = Invoke-Sending $script:Store -Arguments '-OlderThanMinutes', '0'
        $old.Code | Should -Be 1 -Because $old.Text
        $old.Text | Should -Match 'The message for mailbox ".*Tony Smith" has waited since .*pickup'
    }

    It 'fails without a store, and says so' {
        $empty = New-TestFolder
        try {
            $run = Invoke-Sending $empty
            $run.Code | Should -Be 1
            $run.Text | Should -Match 'There is no directory at'
        }
        finally { Remove-TestFolder $empty }
    }
}

# With systemd's restrictions, but without systemd.
Describe 'umpin-notify.service, for a system account without a home' -Tag Embedded -Skip:(-not $script:CanRestrict) {
    BeforeAll { $script:Store = New-TestStore }
    AfterAll { Remove-TestFolder $script:Store }

    It 'runs, silently where nothing waits' {
        $run = Invoke-Unit $script:Store
        $run.Code | Should -Be 0 -Because $run.Text
        $run.Text.Trim() | Should -BeNullOrEmpty
    }

    It 'may write the store, and nothing else' {
        $run = Invoke-Unit $script:Store -Arguments '-NoProfile', '-NonInteractive', '-Command', (
            'Import-Module /opt/umpin/modules/UMMailboxPin; Set-UMMailboxPIN tonysmith; (Get-ChildItem /var/lib/umpin/pickup).Count; id -un; ' +
            'foreach ($path in "/etc/x", "/opt/x", "/var/x") { [System.IO.File]::Create($path).Dispose() }')
        ($run.Text -split '\r?\n')[0..1] | Should -Be @('1', 'umpin') -Because $run.Text
        [regex]::Matches($run.Text, 'Read-only file system').Count | Should -Be 3 -Because $run.Text
    }
}
