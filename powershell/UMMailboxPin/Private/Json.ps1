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

    $options = $script:JsonOptions
    Microsoft.PowerShell.Utility\ConvertFrom-Json -InputObject $Json @options
}

# PowerShell 7 turns text that looks like a date into one; from 7.5 on it can be told not to.
$script:JsonOptions = @{}
if ($PSVersionTable.PSVersion.Major * 100 + $PSVersionTable.PSVersion.Minor -ge 705) {
    $script:JsonOptions['DateKind'] = 'String'
}
