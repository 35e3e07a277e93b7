function Get-UMMailboxPolicy {
    <#
    .SYNOPSIS
    Shows the Unified Messaging mailbox policies with their rules for PINs.

    .DESCRIPTION
    Each mailbox that is enabled for Unified Messaging has one policy, whose rules hold for every new PIN.

    .PARAMETER Identity
    The policy: its name, GUID or distinguished name. Omitted: all policies.

    .INPUTS
    Anything that names a policy.

    .OUTPUTS
    UMMailboxPin.UMMailboxPolicy

    .EXAMPLE
    Get-UMMailboxPolicy

    Shows all policies.

    .EXAMPLE
    Get-UMMailboxPolicy -Identity Default | Format-List

    Shows every setting of one policy.

    .LINK
    Get-UMMailbox
    #>
    [CmdletBinding()]
    [OutputType('UMMailboxPin.UMMailboxPolicy')]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [object] $Identity
    )

    begin {
        foreach ($preference in (Invoke-Core 'Get-CallerPreference' @{ Cmdlet = $PSCmdlet }).GetEnumerator()) {
            $ExecutionContext.SessionState.PSVariable.Set($preference.Key, $preference.Value)
        }
        $directory = Invoke-Core 'Open-UmDirectory' @{ Cmdlet = $PSCmdlet }
    }

    process {
        $request = @{ operation = 'policies' }
        $find = @{ Session = $directory.Session; Request = $request; InputObject = $Identity }
        if ($PSBoundParameters.ContainsKey('Identity')) {
            Write-Page -Cmdlet $PSCmdlet -Page (Invoke-Core 'Find-UmObject' $find) -Convert ${function:New-PolicyObject}
        }
        elseif (-not $MyInvocation.ExpectingInput) {
            $answer = Invoke-Core 'Invoke-UmRequest' @{ Session = $directory.Session; Request = $request }
            $items = if ($null -eq $answer.Failure) { @($answer.Value['items']) } else { @() }
            $page = @{ Items = $items; Failure = $answer.Failure; Diagnostics = $answer.Diagnostics }
            Write-Page -Cmdlet $PSCmdlet -Page $page -Convert ${function:New-PolicyObject}
        }
    }
}
