function Export-UMPinAudit {
    <#
    .SYNOPSIS
    Writes the audit log to a file that can be checked without the directory.

    .DESCRIPTION
    Writes every entry of the audit log as one line of JSON, with everything that Get-UMPinAudit -Path needs to check it, and checks the log on the way. The file appears under its name only when it is complete, and can be read by its owner only. It holds no PIN.

    A log that was tampered with is exported as it is, as evidence, with one error AuditChainBroken for each broken chain.

    .PARAMETER Path
    The new file. A file that exists is an error, unless -Force is given.

    .PARAMETER Force
    Replaces a file that is an older export. Any other file is left alone.

    .PARAMETER PassThru
    Writes the file as an object.

    .INPUTS
    None.

    .OUTPUTS
    None. With -PassThru, System.IO.FileInfo.

    .EXAMPLE
    Export-UMPinAudit -Path .\audit-2025.jsonl

    Exports the log.

    .EXAMPLE
    Export-UMPinAudit -Path $share\audit.jsonl -Force -PassThru | Get-FileHash

    Replaces an older export and shows the hash of the new one.

    .LINK
    Get-UMPinAudit

    .LINK
    about_UMMailboxPin
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/search-adminauditlog')]
    [OutputType([System.IO.FileInfo])]
    param(
        [Parameter(Mandatory, Position = 0)]
        [ValidateNotNullOrEmpty()]
        [string] $Path,

        [switch] $Force,

        [switch] $PassThru
    )

    $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
    $export = [UMMailboxPin.AuditExport]::new($runtime)
    $export.Process()
}
