function Import-UMDirectory {
    <#
    .SYNOPSIS
    Fills the embedded directory with mailboxes from a CSV or LDIF file.

    .DESCRIPTION
    Reads CSV files with the columns DistinguishedName, Name, DisplayName, Alias, SamAccountName, UserPrincipalName, PrimarySmtpAddress, EmailAddresses, LegacyExchangeDN, Guid, UMEnabled, Extensions, UMMailboxPolicy and PreferredLanguage (Name, and DistinguishedName or UserPrincipalName, are required; several addresses or extensions are separated by semicolons; languages are written like 'de-AT, en;q=0.8'), and LDIF files as exported from Active Directory. The directory is made if there is none.

    An import is all or nothing, also when it is stopped: either it was committed before the prompt is back, and a warning in the host says so, or it never is. A row that cannot be used is reported with its line number and nothing is changed, unless -SkipInvalid is given. Mailboxes that are there already are found by their GUID, else by their distinguished name, and updated. PINs are never touched. A policy that the file names and the directory lacks is made with the default settings.

    .PARAMETER Path
    The file. Its ending says what it is: .ldf or .ldif for LDIF, anything else for CSV.

    .PARAMETER DefaultPolicy
    The policy of mailboxes that are enabled for Unified Messaging and name none. Omitted: Default.

    .PARAMETER SkipInvalid
    Leaves out rows that cannot be used, with a warning for each, and imports the rest.

    .PARAMETER PassThru
    Writes an object with the counts.

    .INPUTS
    None.

    .OUTPUTS
    None. With -PassThru, UMMailboxPin.ImportResult.

    .EXAMPLE
    Import-UMDirectory -Path .\mailboxes.csv -WhatIf

    Checks the file and says what an import would do.

    .EXAMPLE
    Import-UMDirectory -Path .\contoso.ldf -DefaultPolicy 'Contoso Default' -PassThru

    Imports an export of Active Directory and shows the counts.

    .LINK
    Get-Mailbox

    .LINK
    Set-UMMailboxPIN
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/enable-ummailbox')]
    [OutputType([UMMailboxPin.ImportResult])]
    param(
        [Parameter(Mandatory, Position = 0)]
        [ValidateNotNullOrEmpty()]
        [string] $Path,

        [string] $DefaultPolicy,

        [switch] $SkipInvalid,

        [switch] $PassThru
    )

    $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
    # No look at the directory first: this is the command that makes it.
    $connection = Invoke-Core 'Get-UmConnection' @{ Runtime = $runtime }
    $file = Resolve-ImportPath $runtime $Path
    $import = [UMMailboxPin.DirectoryImport]::new($runtime, $connection, $file, $Path, $DefaultPolicy, $SkipInvalid)
    $import.Prepare()
    $go = $false
    if ($import.Sentence) {
        $go = $runtime.ShouldProcess($import.Sentence)
    }
    if ($go) {
        $import.Commit($PassThru)
    }
}
