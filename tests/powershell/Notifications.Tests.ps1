# The queue of messages from PowerShell: the pickup directory is made unusable after a reset has looked at it, and usable again.
BeforeAll {
    . "$PSScriptRoot/Support/Fresh.ps1"

    # A reset whose message stays queued: the pickup directory is not usable until it is repaired.
    function Add-Queued {
        param([string] $Store, [string] $Identity, [string] $Pin)

        $run = Invoke-Fresh -Store $Store -Variables @{ Support = "$PSScriptRoot/Support"; Identity = $Identity; Pin = $Pin } {
            . ([System.IO.Path]::Combine($V.Support, 'QueuedMessages.ps1'))
            Add-QueuedMessage $V.Identity @{ Pin = $V.Pin } -LeaveBlocked
        }
        $run.Output | Should -Be @('NotificationFailed,Set-UMMailboxPIN')
    }
    function Repair-Pickup {
        param([string] $Store)

        $pickup = [System.IO.Path]::Combine($Store, 'pickup')
        Remove-Item -LiteralPath $pickup
        $aside = [System.IO.Path]::Combine($Store, 'pickup.aside')
        if (Test-Path -LiteralPath $aside) { Rename-Item -LiteralPath $aside 'pickup' }
    }
}

Describe 'A message that waits' {
    BeforeAll {
        $script:Store = New-TestStore
        Add-Queued $script:Store 'tonysmith' '580291'
    }
    AfterAll { Remove-TestFolder $script:Store }

    It 'is listed, without PIN or recipient' {
        $run = Invoke-Fresh -Store $script:Store {
            $all = @(Get-UMPinNotification)
            $all.Count
            $all[0].PSObject.TypeNames[0]
            ($all[0].PSObject.Properties.Name | Sort-Object) -join ' '
            $all[0].Identity -match 'Tony Smith' -and $all[0].State -eq 'Queued' -and $all[0].Attempts -eq 1
            $all[0].LastError -match 'pickup'
            # In local time, a moment ago; due within minutes; given up in three days.
            ([datetime]::Now - $all[0].QueuedSince).TotalMinutes -lt 5
            ($all[0].NextAttempt - [datetime]::Now).TotalMinutes -lt 5
            [math]::Round(($all[0].ExpiresOn - $all[0].QueuedSince).TotalHours)
            @(Get-UMPinNotification tonysmith).Count
            @(Get-UMPinNotification amyalberts).Count
            $all | ConvertTo-Json -Depth 4
            $all | Out-String -Width 200
        }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Output[0..9] | Should -Be @(1, 'UMMailboxPin.Notification',
            'Attempts ExpiresOn Guid Identity LastError MessageId NextAttempt QueuedSince State', $true, $true, $true, $true, 72, 1, 0)
        $run.Output[11] | Should -Match 'Identity +State +Attempts +LastError'
        $run.Output[10] + $run.Output[11] | Should -Not -Match '580291|tonysmith@contoso.com'
    }

    It 'is not sent by -WhatIf, by a listing or by an unanswered question' {
        Repair-Pickup $script:Store
        $before = Get-MessageCount $script:Store
        $run = Invoke-Fresh -Store $script:Store -NonInteractive {
            Get-UMPinNotification | Out-Null
            Get-UMMailboxPIN tonysmith | Out-Null
            Send-UMPinNotification -Identity tonysmith -WhatIf
            Send-UMPinNotification -WhatIf
            $WhatIfPreference = $true
            Send-UMPinNotification tonysmith
            $WhatIfPreference = $false
            try { Send-UMPinNotification tonysmith -Confirm } catch { $_.FullyQualifiedErrorId }
            @(Get-UMPinNotification).Count
        }
        $run.Output | Should -Be @('ConfirmationImpossible,Send-UMPinNotification', 1)
        @([regex]::Matches($run.Text, 'What if:.*Sending the queued message with the PIN of mailbox "[^"]*Tony Smith"')).Count | Should -Be 2
        $run.Text | Should -Match 'What if:.*Sending all queued messages with PINs that are due'
        Get-MessageCount $script:Store | Should -Be $before
    }

    It 'is not due yet, so sending all leaves it alone' {
        $before = Get-MessageCount $script:Store
        $run = Invoke-Fresh -Store $script:Store { Send-UMPinNotification -PassThru }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -BeNullOrEmpty
        Get-MessageCount $script:Store | Should -Be $before
    }

    It 'is sent for its mailbox, with the PIN in force, once' {
        $before = Get-MessageCount $script:Store
        $run = Invoke-Fresh -Store $script:Store {
            $sent = @('tonysmith', 'amyalberts' | Send-UMPinNotification -PassThru)
            $sent.Count
            "$($sent[0].Outcome) $($sent[0].Attempts) $($sent[0].Reason)"
            Send-UMPinNotification tonysmith -PassThru
            @(Get-UMPinNotification).Count
            (Test-UMMailboxPIN tonysmith -Pin 580291).Outcome
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @(1, 'Sent 2 ', 0, 'ChangeRequired')
        Get-MessageCount $script:Store | Should -Be ($before + 1)
        Get-Message $script:Store | Where-Object { $_ -match '(?m)^580291\r?$' } | Should -Not -BeNullOrEmpty
    }
}

Describe 'A message that still cannot be delivered' {
    BeforeAll {
        $script:Store = New-TestStore
        Add-Queued $script:Store 'tonysmith' '580291'
    }
    AfterAll { Remove-TestFolder $script:Store }

    It 'is one error, and stays' {
        $run = Invoke-Fresh -Store $script:Store {
            $Error.Clear()
            $result = Send-UMPinNotification tonysmith -PassThru -ErrorVariable failed -ErrorAction SilentlyContinue
            $?
            $result.Outcome
            @($failed).Count
            $Error.Count
            $failed[0].FullyQualifiedErrorId
            $failed[0].CategoryInfo.Reason
            $failed[0].TargetObject -match 'Tony Smith'
            $failed[0].ErrorDetails.RecommendedAction
            try { Send-UMPinNotification tonysmith -ErrorAction Stop } catch [UMMailboxPin.NotificationFailedException] { 'caught' }
            (Get-UMPinNotification).Attempts
            Send-UMPinNotification nobody -ErrorVariable unknown -ErrorAction SilentlyContinue
            $unknown[0].FullyQualifiedErrorId
        }
        $run.Output | Should -Be @($false, 'Failed', 1, 1, 'NotificationFailed,Send-UMPinNotification', 'NotificationFailedException', $true,
            'Correct the cause; the message is tried again until it expires.', 'caught', 3, 'ManagementObjectNotFound,Send-UMPinNotification')
    }

    It 'is dropped when its PIN has been replaced' {
        Repair-Pickup $script:Store
        $run = Invoke-Fresh -Store $script:Store {
            Set-UMMailboxPIN tonysmith -Pin 914730
            Send-UMPinNotification tonysmith -PassThru | ForEach-Object { "$($_.Outcome): $($_.Reason)" }
            @(Get-UMPinNotification).Count
        }
        $run.All | Should -BeNullOrEmpty
        $run.Output | Should -Be @('Dropped: the PIN has been replaced since', 0)
        Get-Message $script:Store | Where-Object { $_ -match '580291' } | Should -BeNullOrEmpty
    }
}

Describe 'An empty queue' {
    It 'is silence' {
        $store = New-TestStore
        try {
            $run = Invoke-Fresh -Store $store {
                Get-UMPinNotification
                Send-UMPinNotification -PassThru
                @() | Send-UMPinNotification
                @() | Get-UMPinNotification
            }
            $run.All | Should -BeNullOrEmpty
            $run.Output | Should -BeNullOrEmpty
        }
        finally { Remove-TestFolder $store }
    }
}

Describe 'A message that was handed over' {
    It 'is told by -Verbose, with the folder where it is' {
        $store = New-TestStore
        try {
            $run = Invoke-Fresh -Store $store {
                Set-UMMailboxPIN tonysmith -Verbose 4>&1 | ForEach-Object { "$_" }
            }
            $pickup = [System.IO.Path]::Combine($store, 'pickup')
            @($run.Output | Where-Object { $_ -match ('^Left the message .* in the folder ' + [regex]::Escape($pickup)) }).Count |
                Should -Be 1 -Because "the verbose lines were: $($run.Output -join ' | ')"
        }
        finally { Remove-TestFolder $store }
    }
}
