# Asks for one change, whose sentence -WhatIf and -Confirm show. -Asker has the ShouldProcess that fails closed: the runtime of the
# function, or a run of resets, which writes what has finished before it ends where nobody can be asked.
function Request-UmConfirmation {
    param($Asker, $Sentence)

    $Asker.ShouldProcess($Sentence)
}
