# A warning that is worth saying once in a pipeline, however many mailboxes it applies to.
function Write-UmWarning {
    param([hashtable] $Run, [string] $Message)

    if ($Run.Warned.Add($Message)) {
        $Run.Cmdlet.WriteWarning($Message)
    }
}

function Write-UmDiagnostic {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [object[]] $Diagnostics)

    foreach ($line in $Diagnostics) {
        if ($line) {
            $Cmdlet.WriteVerbose($line)
        }
    }
}
