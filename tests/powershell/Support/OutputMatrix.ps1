# Every command that writes objects, in every way in which the command after it can end the pipeline, beside a compiled cmdlet that
# writes as many objects in the same process. One line each, "command | situation | what came of it", so that both compare as text.
param(
    # The folder of the test's support files.
    [string] $Support,
    # For Import-UMDirectory, where the directory is an embedded one.
    [string] $ImportFile
)

$ErrorActionPreference = 'Continue'
$WarningPreference = 'SilentlyContinue'
Import-Module UMMailboxPin.Directory -WarningAction SilentlyContinue
. ([System.IO.Path]::Combine($Support, 'QueuedMessages.ps1'))

Add-Type -TypeDefinition @'
using System.Management.Automation;

[Cmdlet("Get", "Compiled")]
public class GetCompiled : PSCmdlet
{
    [Parameter] public int Count { get; set; }
    protected override void ProcessRecord() { for (int i = 1; i <= Count; i++) { WriteObject(new PSObject(i)); } }
}

[Cmdlet("Set", "Compiled")]
public class SetCompiled : PSCmdlet
{
    [Parameter(ValueFromPipeline = true)] public object InputObject { get; set; }
    protected override void ProcessRecord() { WriteObject(new PSObject(InputObject)); }
}
'@ -PassThru | Where-Object { $_.Name -eq 'GetCompiled' } | ForEach-Object { Import-Module -Assembly $_.Assembly }
$compiled = (Get-Command Get-Compiled).ImplementingType.Assembly

$four = 'tonysmith', 'amyalberts', 'ppinilla', 'zmueller'
$audit = Join-Path $Work 'audit.jsonl'

# Call: with all its objects. Input and Step: the same for a steppable pipeline, which begins with a command.
$commands = [ordered] @{
    'Set-UMMailboxPIN'                     = @{ Input = $four; Step = 'Set-UMMailboxPIN -PassThru' }
    'Set-UMMailboxPIN -ThrottleLimit 4'    = @{ Input = $four; Step = 'Set-UMMailboxPIN -PassThru -ThrottleLimit 4' }
    'Set-UMMailboxPIN -KeepPin, in turn'   = @{ Input = $four; Step = 'Set-UMMailboxPIN -PassThru -KeepPin -LockedOut $false -ThrottleLimit 1' }
    'Lock-UMMailbox'                       = @{ Input = $four; Step = 'Lock-UMMailbox -PassThru' }
    'Unlock-UMMailbox'                     = @{ Input = $four; Step = 'Unlock-UMMailbox -PassThru' }
    'Test-UMMailboxPIN'                    = @{ Input = $four; Step = 'Test-UMMailboxPIN -Pin 739155'; Before = { $four | Set-UMMailboxPIN -Pin 739155 -PinExpired $false -SendEmail $false -ErrorAction SilentlyContinue } }
    'Get-UMMailboxPIN'                     = @{ Step = 'Get-UMMailboxPIN' }
    'Test-UMConfiguration'                 = @{ Step = 'Test-UMConfiguration' }
    'Get-UMMailboxPIN -Identity'           = @{ Input = $four; Step = 'Get-UMMailboxPIN' }
    'Get-UMPinAudit'                       = @{ Step = 'Get-UMPinAudit -ResultSize 4' }
    'Export-UMPinAudit'                    = @{ Step = "Export-UMPinAudit -Path '$audit' -Force -PassThru" }
    'Get-UMPinNotification'                = @{ Step = 'Get-UMPinNotification' }
    'Send-UMPinNotification'               = @{ Input = $four; Step = 'Send-UMPinNotification -PassThru'; Before = { $four | Send-UMPinNotification; $null = Add-QueuedMessage $four } }
    'Update-UMPinKey'                      = @{ Step = 'Update-UMPinKey -ResealOnly -Confirm:$false' }
    'Get-Mailbox'                          = @{ Step = 'Get-Mailbox' }
    'Get-UMMailbox'                        = @{ Step = 'Get-UMMailbox' }
    'Get-UMMailboxPolicy'                  = @{ Step = 'Get-UMMailboxPolicy' }
}
if ($ImportFile) {
    $commands['Import-UMDirectory'] = @{ Step = "Import-UMDirectory -Path '$ImportFile' -PassThru" }
}

# What stands for AT ends the pipeline there. In a runspace of its own where it would end this one.
$situations = [ordered] @{
    'throw'            = '$n = 0; CALL | ForEach-Object { $n++; if ($n -eq AT) { throw ''stop'' }; $n }; ''went on'''
    'typed catch'      = '$n = 0; try { CALL | ForEach-Object { $n++; if ($n -eq AT) { throw [System.IO.FileNotFoundException]::new(''x'') }; $n } } catch [System.IO.FileNotFoundException] { ''typed'' } catch { ''untyped'' }; ''after'''
    'break'            = '$n = 0; foreach ($z in 1) { CALL | ForEach-Object { $n++; if ($n -eq AT) { break }; $n }; ''went on'' }; ''after'''
    'continue'         = '$n = 0; foreach ($z in 1, 2) { if ($z -eq 2) { ''second''; break }; CALL | ForEach-Object { $n++; if ($n -eq AT) { continue }; $n }; ''went on'' }; ''after'''
    'return'           = '$n = 0; CALL | ForEach-Object { $n++; if ($n -eq AT) { return ''r'' }; $n }; ''after'''
    'First'            = 'CALL | Select-Object -First AT | ForEach-Object { ''object'' }; ''next'''
    'error downstream' = '$n = 0; CALL | ForEach-Object { $n++; if ($n -eq AT) { Get-Item none: -ErrorAction Stop }; $n }; ''went on'''
    'exit'             = '$n = 0; CALL | ForEach-Object { $n++; if ($n -eq AT) { exit 3 }; $n }; ''went on'''
    'stop'             = '$n = 0; CALL | ForEach-Object { $n++; $n; if ($n -eq AT) { $null = $gate.Set(); Start-Sleep -Seconds 600 } }; ''went on'''
    'steppable'        = '$p = { STEP }.GetSteppablePipeline(); $p.Begin($expects); $o = @(foreach ($one in $given) { $p.Process($one) }); $o += @($p.End()); $p.Dispose(); @($o | Where-Object { $null -ne $_ }).Count'
    'proxy'            = 'function Invoke-Proxy { [CmdletBinding()] param([Parameter(ValueFromPipeline)] $InputObject) begin { $p = { STEP }.GetSteppablePipeline(); $p.Begin($PSCmdlet) } process { $p.Process($_) } end { $p.End() } }; $n = 0; PROXY | ForEach-Object { $n++; $n }; ''after'''
    'proxy, throw'     = 'function Invoke-Proxy { [CmdletBinding()] param([Parameter(ValueFromPipeline)] $InputObject) begin { $p = { STEP }.GetSteppablePipeline(); $p.Begin($PSCmdlet) } process { $p.Process($_) } end { $p.End() } }; $n = 0; PROXY | ForEach-Object { $n++; if ($n -eq AT) { throw ''stop'' }; $n }; ''went on'''
}

function Invoke-Situation {
    param([string] $Text, [object[]] $Given, [bool] $Apart, [bool] $Stops)

    $gate = [System.Threading.ManualResetEventSlim]::new($false)
    if ($Apart) {
        $shell = [powershell]::Create()
        $state = $shell.Runspace.SessionStateProxy
        $state.SetVariable('given', $Given)
        $state.SetVariable('expects', $Given.Count -gt 0)
        $state.SetVariable('gate', $gate)
        $null = $shell.AddScript('param($a, $d) $WarningPreference = ''SilentlyContinue''; Import-Module -Assembly $a; Import-Module UMMailboxPin.Directory; Set-Location $d').AddArgument($compiled).AddArgument($Work).Invoke()
        $shell.Commands.Clear()
        $shell.Streams.ClearStreams()
    }
    else {
        $expects = $Given.Count -gt 0
        $shell = [powershell]::Create('CurrentRunspace')
    }
    $global:Error.Clear()
    $null = $shell.AddScript($Text, $true)
    $out = New-Object 'System.Management.Automation.PSDataCollection[psobject]'
    $thrown = '-'
    try {
        if ($Stops) {
            $null = $shell.BeginInvoke((New-Object 'System.Management.Automation.PSDataCollection[psobject]'), $out)
            if (-not $gate.Wait(60000)) { $thrown = 'never came to it' }
            $shell.Stop()
        }
        else {
            $shell.Invoke($null, $out)
        }
    }
    catch {
        $thrown = $_.Exception.InnerException.GetType().Name
    }
    $errors = if ($Apart) { $shell.Runspace.SessionStateProxy.GetVariable('Error').Count } else { $global:Error.Count }
    '[{0}] thrown {1}, $Error {2}, {3}' -f ($out -join ','), $thrown, $errors, $shell.InvocationStateInfo.State
    if ($Apart) { $shell.Runspace.Dispose() }
    $shell.Dispose()
}

$null = Add-QueuedMessage $four
foreach ($name in $commands.Keys) {
    $command = $commands[$name]
    $given = @($command['Input'] | Where-Object { $null -ne $_ })
    $before = $command['Before']
    if ($before) { & $before }
    $call = if ($given.Count) { '$given | ' + $command.Step } else { $command.Step }
    $count = @(& ([scriptblock]::Create($call))).Count
    $at = [math]::Min(2, $count)
    "$name | objects | $count"
    foreach ($situation in $situations.Keys) {
        $apart = $situation -in 'exit', 'stop'
        $results = foreach ($step in $command.Step, $(if ($given.Count) { 'Set-Compiled' } else { "Get-Compiled -Count $count" })) {
            if ($before -and $step -eq $command.Step) { & $before }
            $call = if ($given.Count) { '$given | ' + $step } else { $step }
            $proxy = if ($given.Count) { '$given | Invoke-Proxy' } else { 'Invoke-Proxy' }
            $text = $situations[$situation].Replace('CALL', $call).Replace('STEP', $step).Replace('PROXY', $proxy).Replace('AT', "$at")
            Invoke-Situation $text $given $apart ($situation -eq 'stop')
        }
        "$name | $situation | $(if ($results[0] -ceq $results[1]) { 'same' } else { "$($results[0]) and compiled $($results[1])" })"
    }
}
