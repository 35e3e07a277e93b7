# What runs at import. The stager appends this to the module's functions. Every statement here costs each PowerShell that imports
# the module, most of all the first of its kind, so what can wait for the first command does: see [UMMailboxPin.CommandRuntime].
Set-StrictMode -Version Latest

# A caller's $PSDefaultParameterValues must not reach the calls inside this module. PowerShell 7.6 gives each module an empty table
# of its own; no document promises that for every version.
$script:PSDefaultParameterValues = @{}
