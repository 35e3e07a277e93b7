# A property that may be absent: strict mode makes reading an absent one an error.
function Get-UmMember {
    param([object] $InputObject, [string] $Name)

    if ($null -eq $InputObject) {
        return $null
    }
    $property = $InputObject.PSObject.Properties[$Name]
    if ($null -eq $property) {
        return $null
    }
    # The comma keeps an array of one an array.
    if ($property.Value -is [array]) {
        return , $property.Value
    }
    $property.Value
}
