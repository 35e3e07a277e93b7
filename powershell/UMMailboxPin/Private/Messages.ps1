# A warning is said once in a pipeline, however many mailboxes it applies to: -Key tells those apart that name a mailbox.
function Write-UmWarning {
    param($Run, [string] $Message, [string] $Key = $Message)

    if (-not $Run.Warned.ContainsKey($Key)) {
        $Run.Warned[$Key] = $true
        $Run.Writing = $true
        $Run.Cmdlet.WriteWarning($Message)
        $Run.Writing = $false
    }
}

# Writing stays true when the pipeline is stopped in the middle of it, as by -ErrorAction Stop: Test-UmStop tells.
function Write-UmError {
    param($Run, [System.Management.Automation.ErrorRecord] $Record)

    $Run.Writing = $true
    $Run.Cmdlet.WriteError($Record)
    $Run.Writing = $false
}

# For the catch block of a public function. An exception ends only a statement, and the statements after it would run: so a
# failure of the module itself becomes terminating. What the caller asked to be stopped by is not touched.
function Test-UmStop {
    param($Run, [System.Management.Automation.ErrorRecord] $Record)

    if ($null -ne $Run -and $Run.Writing) {
        return $true
    }
    Remove-CaughtError $Record
    $false
}

function Write-UmDiagnostic {
    param([System.Management.Automation.PSCmdlet] $Cmdlet, [object[]] $Diagnostics)

    foreach ($line in $Diagnostics) {
        if ($line) {
            $Cmdlet.WriteVerbose($line)
        }
    }
}
