# Writes what a look-up or one page of a listing gave, each item through -Convert.
function Write-Page {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [hashtable] $Page, [scriptblock] $Convert)

    foreach ($line in $Page.Diagnostics) {
        if ($line) {
            $Cmdlet.WriteVerbose($line)
        }
    }
    if ($null -ne $Page.Failure) {
        $Cmdlet.WriteError($Page.Failure)
    }
    foreach ($item in $Page.Items) {
        $Cmdlet.WriteObject((& $Convert $item))
    }
}

# What Get-Mailbox, Get-UMMailbox and Get-UMMailboxPolicy have in common: one object, or a listing up to -ResultSize.
function Write-DirectoryObject {
    param(
        [System.Management.Automation.PSCmdlet] $Cmdlet,
        [UMMailboxPin.SessionHandle] $Session,
        [hashtable] $Request,
        [scriptblock] $Convert
    )

    $bound = $Cmdlet.MyInvocation.BoundParameters
    if ($bound.ContainsKey('Identity')) {
        $page = Invoke-Core 'Find-UmObject' @{ Session = $Session; Request = $Request; InputObject = $bound['Identity'].RawInput }
        Write-Page -Cmdlet $Cmdlet -Page $page -Convert $Convert
        return
    }
    if ($Cmdlet.MyInvocation.ExpectingInput) {
        return
    }

    $size = if ($bound.ContainsKey('ResultSize')) { $bound['ResultSize'] } else { $null }
    $pager = Invoke-Core 'New-UmPager' @{ Session = $Session; Request = $Request; ResultSize = $size }
    while (-not $pager.Done) {
        Write-Page -Cmdlet $Cmdlet -Page (Invoke-Core 'Read-UmPage' @{ Pager = $pager }) -Convert $Convert
    }
    if ($pager.Cut) {
        $Cmdlet.WriteWarning((Invoke-Core 'Get-UmCutWarning' @{ Pager = $pager }))
    }
}
