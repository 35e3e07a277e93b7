# What runs at import. The stager appends this to the module's functions. Every statement here costs each PowerShell that imports
# the module, most of all the first of its kind, so what can wait for the first command does.
#
# A caller's $PSDefaultParameterValues do not reach the calls inside: PowerShell gives each module an empty table of its own.
Set-StrictMode -Version Latest

$script:ModuleVersion = '0.1.0'
$script:Connection = $null
