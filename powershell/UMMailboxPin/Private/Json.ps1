function ConvertTo-UmJson {
    param([System.Collections.IDictionary] $Request)

    $body = @{ v = 1 }
    foreach ($key in $Request.Keys) {
        $value = $Request[$key]
        if ($value -is [string]) {
            # Windows PowerShell writes a string that carries extended properties (a line from Get-Content) as an object.
            $value = [string]::new($value.ToCharArray())
        }
        $body[$key] = $value
    }
    Microsoft.PowerShell.Utility\ConvertTo-Json -InputObject $body -Compress -Depth 4
}

function ConvertFrom-UmJson {
    param([string] $Json)

    if ($null -eq $script:JsonKeepsText) {
        # PowerShell 7 turns text that looks like a date into one; 7.5 can be told not to.
        $command = Microsoft.PowerShell.Core\Get-Command -Name 'Microsoft.PowerShell.Utility\ConvertFrom-Json' -CommandType Cmdlet
        $script:JsonKeepsText = if ($command.Parameters.ContainsKey('DateKind')) { @{ DateKind = 'String' } } else { @{} }
    }
    $options = $script:JsonKeepsText
    Microsoft.PowerShell.Utility\ConvertFrom-Json -InputObject $Json @options
}

$script:JsonKeepsText = $null
