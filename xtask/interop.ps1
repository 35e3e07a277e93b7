# Compiles the interop assembly with the C# compiler that PowerShell 7 carries, for this machine: it is bound to that PowerShell's .NET.
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Sources,
    [Parameter(Mandatory = $true)] [string] $Generated,
    [Parameter(Mandatory = $true)] [string] $Output
)

$options = @{
    LiteralPath     = @(Get-ChildItem -LiteralPath $Sources -Filter *.cs -File | ForEach-Object { $_.FullName }) + $Generated
    OutputAssembly  = $Output
    OutputType      = 'Library'
    # .NET 8 and later call the serialization constructors of exceptions obsolete, and Add-Type takes a warning for an error. Windows
    # PowerShell 5.1 needs them: jobs and remoting serialize exceptions there.
    CompilerOptions = '-nowarn:SYSLIB0051'
    ErrorAction     = 'Stop'
}
try {
    Add-Type @options
}
catch {
    # Without colours and the command line around them.
    [Console]::Error.WriteLine($_.Exception.Message)
    exit 1
}
