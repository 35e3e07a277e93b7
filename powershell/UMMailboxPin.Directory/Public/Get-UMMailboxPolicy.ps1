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
    [CmdletBinding(HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/get-ummailboxpolicy')]
    [OutputType([UMMailboxPin.UMMailboxPolicy])]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [object] $Identity
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $listing = [UMMailboxPin.Listing]::OfPolicies($runtime)
    }

    process {
        $listing.Process($null)
    }
}
