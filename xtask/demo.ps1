# The main job, shown: the examples of the original documentation and what becomes of them, in a sandbox.
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $ModulePath,
    [Parameter(Mandatory = $true)] [string] $Sandbox,
    [Parameter(Mandatory = $true)] [string] $Sample
)

Set-StrictMode -Version 2.0
$env:PSModulePath = $ModulePath + [System.IO.Path]::PathSeparator + $env:PSModulePath
$env:UMPIN_HOME = $Sandbox
if (Test-Path -LiteralPath variable:PSStyle) {
    $PSStyle.OutputRendering = 'PlainText'
}
$pickup = Join-Path -Path $Sandbox -ChildPath 'pickup'
$script:seen = @()

# Shows a command as it would be typed, runs it, and returns the records of the errors it wrote.
function Invoke-Shown([string] $Command) {
    Write-Host ''
    Write-Host "PS> $Command"
    $output = @(& ([scriptblock]::Create($Command)) 2>&1 3>&1)
    $errors = @($output | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] })
    if ($output.Count -gt 0) {
        Write-Host ($output | Out-String).Trim()
    }
    elseif ($Command -notlike '*-WhatIf*') {
        Write-Host '(prints nothing: it succeeded)'
    }
    , $errors
}

# The headers that people see and the text part, without the transfer encoding; the file has the same as HTML, too.
function Get-MessageText([string] $Path) {
    $message = [System.IO.File]::ReadAllText($Path).Replace("`r`n", "`n")
    $boundary = [regex]::Match($message, 'boundary="([^"]+)"').Groups[1].Value
    $parts = $message -split ('(?m)^--' + [regex]::Escape($boundary) + '(?:--)?$')
    $parts[0].Split([char] 10) | Where-Object { $_ -match '^(From|To|Subject):' }
    ''
    # Quoted-printable: bytes, of which several may be one character.
    $encoded = $parts[1].Substring($parts[1].IndexOf("`n`n") + 2).Replace("=`n", '')
    $latin = [regex]::Replace($encoded, '=([0-9A-F]{2})', { param($match) [string] [char] [Convert]::ToInt32($match.Groups[1].Value, 16) })
    $bytes = [System.Text.Encoding]::GetEncoding('iso-8859-1').GetBytes($latin)
    [System.Text.Encoding]::UTF8.GetString($bytes).Trim().Split([char] 10)
}

# Shows the messages that have come since the last time, and returns how many.
function Show-NewMessage {
    $files = @(Get-ChildItem -Path $pickup -Filter '*.eml' -ErrorAction Ignore | Where-Object { $script:seen -notcontains $_.Name })
    $script:seen += @($files | ForEach-Object { $_.Name })
    foreach ($file in $files) {
        Write-Host ''
        Write-Host "    $($file.FullName):"
        foreach ($line in Get-MessageText $file.FullName) {
            Write-Host "    | $line".TrimEnd()
        }
    }
    $files.Count
}

function Assert-That([bool] $Condition, [string] $What) {
    if (-not $Condition) {
        throw "The demonstration did not go as it should: $What"
    }
}

function Show-Reset([string] $Command, [bool] $Expired, [bool] $Locked) {
    $errors = Invoke-Shown $Command
    Assert-That ($errors.Count -eq 0) "$Command failed."
    [void] (Invoke-Shown 'Get-UMMailboxPIN tonysmith@contoso.com | Format-List UserID, PinExpired, LockedOut, FirstTimeUser')
    $state = Get-UMMailboxPIN -Identity tonysmith@contoso.com
    Assert-That ($state.PinExpired -eq $Expired -and $state.LockedOut -eq $Locked) "the state after $Command is another."
    Assert-That ((Show-NewMessage) -eq 1) "$Command should have left one message."
}

function Show-SignIn([string] $Pin, [string] $Outcome) {
    $command = "Test-UMMailboxPIN kima@contoso.com -Pin $Pin"
    $errors = Invoke-Shown "$command | Format-List Identity, Outcome"
    Assert-That ($errors.Count -eq 0) "$command failed."
    Assert-That ((Test-UMMailboxPIN kima@contoso.com -Pin $Pin).Outcome -eq $Outcome) "the outcome of $command is another."
}

function Show-Refusal([string] $Command, [string] $Id) {
    $errors = Invoke-Shown $Command
    Assert-That ($errors.Count -eq 1) "$Command should have written one error."
    Write-Host "    FullyQualifiedErrorId: $($errors[0].FullyQualifiedErrorId)"
    Assert-That ($errors[0].FullyQualifiedErrorId -eq "$Id,Set-UMMailboxPIN") "$Command should have failed with $Id."
    Assert-That ((Show-NewMessage) -eq 0) "$Command should have left no message."
}

try {
    Write-Host "PowerShell $($PSVersionTable.PSVersion); everything happens in $Sandbox"
    $errors = Invoke-Shown "Import-UMDirectory -Path '$($Sample.Replace("'", "''"))' -PassThru"
    Assert-That ($errors.Count -eq 0) 'the sample directory was not imported.'
    [void] (Invoke-Shown 'Get-Mailbox | Format-Table Name, Alias, PrimarySmtpAddress, UMEnabled -AutoSize')

    Write-Host ''
    Write-Host 'The four examples of the original documentation'
    Show-Reset 'Set-UMMailboxPIN -Identity tonysmith@contoso.com' $true $false
    Show-Reset 'Set-UMMailboxPIN -Identity tonysmith@contoso.com -Pin 1985848 -PinExpired $true' $true $false
    Show-Reset 'Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $true' $true $true
    Show-Reset 'Set-UMMailboxPIN -Identity tonysmith@contoso.com -LockedOut $false' $true $false

    Write-Host ''
    Write-Host 'What would happen'
    $errors = Invoke-Shown 'Get-Mailbox -ResultSize Unlimited | Where-Object UMEnabled | Set-UMMailboxPIN -WhatIf'
    Assert-That ($errors.Count -eq 0) '-WhatIf failed.'
    Assert-That ((Show-NewMessage) -eq 0) '-WhatIf should have left no message.'

    Write-Host ''
    Write-Host 'Refusals'
    Show-Refusal 'Set-UMMailboxPIN -Identity tonysmith@contoso.com -Pin 1234' 'PinPolicyViolation'
    Show-Refusal 'Set-UMMailboxPIN -Identity nobody@contoso.com' 'ManagementObjectNotFound'

    Write-Host ''
    Write-Host 'What the telephone system is told'
    $errors = Invoke-Shown 'Set-UMMailboxPIN kima@contoso.com -Pin 7305162 -PinExpired $false -SendEmail $false'
    Assert-That ($errors.Count -eq 0) 'the PIN was not set.'
    Show-SignIn 7305162 'Accepted'
    Show-SignIn 111222 'Rejected'
    $errors = Invoke-Shown 'Lock-UMMailbox kima@contoso.com'
    Assert-That ($errors.Count -eq 0) 'the mailbox was not locked.'
    Show-SignIn 7305162 'Locked'

    Write-Host ''
    Write-Host 'The audit log: who changed what'
    $errors = Invoke-Shown 'Get-UMPinAudit | Format-Table Date, Cmdlet, Target, Succeeded -AutoSize'
    Assert-That ($errors.Count -eq 0) 'the audit log is not intact.'
    $cmdlets = @(Get-UMPinAudit -Identity kima@contoso.com | ForEach-Object { $_.Cmdlet })
    Assert-That ($cmdlets -contains 'Set-UMMailboxPIN' -and $cmdlets -contains 'Lock-UMMailbox') 'the audit log lacks the changes.'
}
catch {
    Write-Host ''
    Write-Host $_.ToString()
    Write-Host $_.ScriptStackTrace
    exit 1
}
