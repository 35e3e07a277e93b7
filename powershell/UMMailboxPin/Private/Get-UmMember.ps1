# A property that may be absent: strict mode makes reading an absent one an error. The elements of an array come one by one.
function Get-UmMember {
    param([object] $InputObject, [string] $Name)

    if ($null -eq $InputObject) {
        return $null
    }
    $property = $InputObject.PSObject.Properties[$Name]
    if ($null -eq $property) {
        return $null
    }
    $property.Value
}
