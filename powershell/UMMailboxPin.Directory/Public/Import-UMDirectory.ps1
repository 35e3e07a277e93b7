function Import-UMDirectory {
    <#
    .SYNOPSIS
    Fills the embedded directory with mailboxes from a CSV or LDIF file.

    .DESCRIPTION
    Reads CSV files with the columns DistinguishedName, Name, DisplayName, Alias, SamAccountName, UserPrincipalName, PrimarySmtpAddress, EmailAddresses, LegacyExchangeDN, Guid, UMEnabled, Extensions, UMMailboxPolicy and PreferredLanguage, and LDIF files as exported from Active Directory. The names of the LDAP attributes are understood too, as csvde and 'Get-ADUser | Export-Csv' write them: DN, cn, mailNickname, mail (EmailAddress), proxyAddresses, objectGUID, msExchUMEnabledFlags and msExchUMTemplateLink. A file needs at least one column that tells which mailbox a row is about: DistinguishedName, Guid, UserPrincipalName, PrimarySmtpAddress or EmailAddresses; a new mailbox also needs a name. Several addresses or extensions are separated by semicolons; an extension may name its dial plan, as in 4274@Redmond; languages are written like 'de-AT, en;q=0.8'. The directory is made if there is none.

    A property for which the file has no column stays as it is; an empty cell clears it. Of an LDIF file the columns are the attributes that any of its mailboxes has. -WhatIf and -PassThru say which properties change, and -Verbose of which mailbox.

    Mailboxes that are there already are found by their GUID. Without one, user principal name, distinguished name and primary address together decide, so that a user who was renamed or moved keeps mailbox and PIN; -Verbose names each mailbox that is found under another distinguished name. One that is recognized by its address alone is told as a warning, and not recognized at all where another account or sign-in name speaks against it. Two mailboxes cannot share a GUID, distinguished name, user principal name, address, legacyExchangeDN or, within a dial plan, an extension: such rows are refused, and both mailboxes are named. A mailbox that the file does not name stays: an import never removes any; Remove-UMDirectoryMailbox does.

    An import is all or nothing, also when it is stopped: either it was committed before the prompt is back, and a warning in the host says so, or it never is. A row that cannot be used is reported with its line number and nothing is changed, unless -SkipInvalid is given. PINs are never touched. A policy that the file names and the directory lacks is made with the default settings.

    .PARAMETER Path
    The file. Its ending says what it is: .ldf or .ldif for LDIF, anything else for CSV.

    .PARAMETER DefaultPolicy
    The policy of mailboxes that are enabled for Unified Messaging and name none. Omitted: Default.

    .PARAMETER SkipInvalid
    Leaves out rows that cannot be used, with a warning for each, and imports the rest.

    .PARAMETER PassThru
    Writes an object with the counts and the properties that changed.

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
    $import = [UMMailboxPin.DirectoryImport]::new($runtime)
    $import.Process()
}
