# What identifies the mailbox in whatever was given to -Identity. Nothing usable: $null.
function Get-IdentityText {
    param([object] $InputObject)

    if ($InputObject -is [string] -or $InputObject -is [ValueType]) {
        return ConvertTo-IdentityText $InputObject
    }

    $names = 'Identity', 'UserObjectId', 'Guid', 'DistinguishedName', 'PrimarySmtpAddress', 'UserPrincipalName', 'Alias'
    foreach ($typeName in $InputObject.PSObject.TypeNames) {
        # Microsoft's mailbox types, their Deserialized. forms and our own; a mailbox's Identity may be ambiguous, its Guid not.
        if ($typeName -match 'Mailbox$') {
            $names = @('Guid', 'DistinguishedName') + $names
            break
        }
    }

    foreach ($name in $names) {
        $text = ConvertTo-IdentityText (Get-UmMember $InputObject $name)
        if ($text) {
            return $text
        }
    }
    $null
}

function ConvertTo-IdentityText {
    param([object] $Value)

    if ($null -eq $Value -or ($Value -is [System.Collections.IEnumerable] -and $Value -isnot [string])) {
        return $null
    }
    if ($Value -is [guid] -and $Value -eq [guid]::Empty) {
        return $null
    }
    $text = [System.Management.Automation.LanguagePrimitives]::ConvertTo($Value, [string])
    if ($null -ne $text) {
        $text = $text.Trim()
    }
    $text
}
