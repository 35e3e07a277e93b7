function Import-UMDirectory {
    <#
    .SYNOPSIS
    Fills the embedded directory with mailboxes from a CSV or LDIF file.

    .DESCRIPTION
    Reads CSV files with the columns DistinguishedName, Name, DisplayName, Alias, SamAccountName, UserPrincipalName,
    PrimarySmtpAddress, EmailAddresses, LegacyExchangeDN, Guid, UMEnabled, Extensions, UMMailboxPolicy and PreferredLanguage
    (Name, and DistinguishedName or UserPrincipalName, are required; several addresses or extensions are separated by semicolons;
    languages are written like 'de-AT, en;q=0.8'), and LDIF files as exported from Active Directory. The directory is made if
    there is none.

    An import is all or nothing: a row that cannot be used is reported with its line number and nothing is changed, unless
    -SkipInvalid is given. Mailboxes that are there already are found by their GUID, else by their distinguished name, and
    updated. PINs are never touched. A policy that the file names and the directory lacks is made with the default settings.

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
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    [OutputType('UMMailboxPin.ImportResult')]
    param(
        [Parameter(Mandatory, Position = 0)]
        [ValidateNotNullOrEmpty()]
        [string] $Path,

        [string] $DefaultPolicy,

        [switch] $SkipInvalid,

        [switch] $PassThru
    )

    foreach ($preference in (Invoke-Core 'Get-CallerPreference' @{ Cmdlet = $PSCmdlet }).GetEnumerator()) {
        $ExecutionContext.SessionState.PSVariable.Set($preference.Key, $preference.Value)
    }

    # No look at the directory first: this is the cmdlet that makes it.
    $session = Invoke-Core 'Get-UmSession' @{ Cmdlet = $PSCmdlet }
    $file = Resolve-ImportPath -Cmdlet $PSCmdlet -Path $Path
    $request = @{ operation = 'import'; path = $file }
    if ($DefaultPolicy) {
        $request['defaultPolicy'] = $DefaultPolicy
    }
    if ($SkipInvalid) {
        $request['skipInvalid'] = $true
    }
    $call = @{ Session = $session; Request = $request; TargetObject = $Path }

    $sentence = "Importing mailboxes from file ""$file"" into the directory."
    $asks = $ConfirmPreference -in 'Low', 'Medium'
    if ($WhatIfPreference -or $asks) {
        $trial = $request.Clone()
        $trial['whatIf'] = $true
        $answer = Invoke-Core 'Invoke-UmRequest' @{ Session = $session; Request = $trial; TargetObject = $Path }
        if ($null -ne $answer.Failure) {
            Write-Page -Cmdlet $PSCmdlet -Page @{ Items = @(); Failure = $answer.Failure; Diagnostics = $answer.Diagnostics } -Convert { }
            return
        }
        $sentence = Get-ImportSentence -File $file -Counts $answer.Value
        if ($WhatIfPreference) {
            Write-ImportWarning -Cmdlet $PSCmdlet -File $file -Counts $answer.Value -Trial
        }
    }

    $go = Invoke-Core 'Confirm-UmChange' @{ Cmdlet = $PSCmdlet; Sentence = $sentence }
    if ($go) {
        $answer = Invoke-Core 'Invoke-UmRequest' $call
        Write-Page -Cmdlet $PSCmdlet -Page @{ Items = @(); Failure = $answer.Failure; Diagnostics = $answer.Diagnostics } -Convert { }
        if ($null -eq $answer.Failure) {
            if ($PassThru) {
                $PSCmdlet.WriteObject((New-ImportResult $answer.Value))
            }
            Write-ImportWarning -Cmdlet $PSCmdlet -File $file -Counts $answer.Value
        }
    }
}
