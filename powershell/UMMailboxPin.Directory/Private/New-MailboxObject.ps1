# The type names end in Mailbox: Set-UMMailboxPIN then takes the Guid.
function New-MailboxObject {
    param([object] $Item)

    $mailbox = [pscustomobject] (Get-MailboxProperty $Item)
    $mailbox.PSObject.TypeNames.Insert(0, 'UMMailboxPin.Mailbox')
    $mailbox
}

function New-UMMailboxObject {
    param([object] $Item)

    $properties = Get-MailboxProperty $Item
    $properties['Extensions'] = [string[]] @($Item['extensions'])
    $properties['UMMailboxPolicy'] = $Item['umMailboxPolicy']
    $mailbox = [pscustomobject] $properties
    $mailbox.PSObject.TypeNames.Insert(0, 'UMMailboxPin.UMMailbox')
    $mailbox
}

function Get-MailboxProperty {
    param([object] $Item)

    [ordered] @{
        Identity           = $Item['identity']
        Name               = $Item['name']
        DisplayName        = $Item['displayName']
        Alias              = $Item['alias']
        SamAccountName     = $Item['samAccountName']
        UserPrincipalName  = $Item['userPrincipalName']
        PrimarySmtpAddress = $Item['primarySmtpAddress']
        EmailAddresses     = [string[]] @($Item['emailAddresses'])
        LegacyExchangeDN   = $Item['legacyExchangeDN']
        UMEnabled          = [bool] $Item['umEnabled']
        DistinguishedName  = $Item['distinguishedName']
        Guid               = [guid] $Item['guid']
    }
}
