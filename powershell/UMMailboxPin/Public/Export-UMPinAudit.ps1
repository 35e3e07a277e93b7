function Export-UMPinAudit {
    <#
    .SYNOPSIS
    Writes the audit log to a file that can be checked without the directory.

    .DESCRIPTION
    Writes every entry of the audit log as one line of JSON, with everything that Get-UMPinAudit -Path needs to check it, and
    checks the log on the way. The file appears under its name only when it is complete, and can be read by its owner only. It
    holds no PIN.

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
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType([System.IO.FileInfo])]
    param(
        [Parameter(Mandatory, Position = 0)]
        [ValidateNotNullOrEmpty()]
        [string] $Path,

        [switch] $Force,

        [switch] $PassThru
    )

    # What Get-CallerPreference says, in one call.
    [UMMailboxPin.Parameters]::TakePreferences($PSCmdlet, $ExecutionContext, $PSBoundParameters)

    $directory = Open-UmDirectory $PSCmdlet
    $run = @{ Cmdlet = $PSCmdlet; Warned = @{}; Writing = $false }
    $file = Resolve-AuditPath -Cmdlet $PSCmdlet -Path $Path
    $request = @{ operation = 'auditExport'; path = $file }
    if ($Force) {
        $request['force'] = $true
    }

    $go = Confirm-UmChange -Cmdlet $PSCmdlet -Sentence "Exporting the audit log of the directory to file ""$file""."
    if ($go) {
        $answer = Invoke-UmRequest -Session $directory.Session -Request $request -TargetObject $Path
        Write-UmDiagnostic $PSCmdlet $answer.Diagnostics
        if ($null -ne $answer.Failure) {
            Write-UmError $run $answer.Failure
        }
        else {
            if ($PassThru) {
                $PSCmdlet.WriteObject([System.IO.FileInfo]::new($file))
            }
            Write-AuditFault $run $answer.Value
            $PSCmdlet.WriteVerbose("$($answer.Value['entries']) entries were exported to ""$file"".")
        }
    }
}
