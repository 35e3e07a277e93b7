@{
    RootModule           = 'UMMailboxPin.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '6a0c7d1e-3f52-4a8c-9a37-0d2a5f4be1c9'
    Author               = 'umpin contributors'
    CompanyName          = 'umpin contributors'
    Copyright            = '(c) umpin contributors. MIT OR Apache-2.0.'
    Description          = 'An open Set-UMMailboxPIN: resets the telephone PINs of mailboxes enabled for Unified Messaging, with the parameters and the behaviour of the original cmdlet.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    RequiredAssemblies   = @('bin/UMMailboxPin.Interop.dll')
    FormatsToProcess     = @('UMMailboxPin.Format.ps1xml')
    FunctionsToExport    = @(
        'Clear-UMMailboxPIN', 'Export-UMPinAudit', 'Get-UMMailboxPIN', 'Get-UMPinAudit', 'Get-UMPinNotification', 'Lock-UMMailbox',
        'Send-UMPinNotification', 'Set-UMMailboxPIN', 'Test-UMConfiguration', 'Test-UMMailboxPIN', 'Unlock-UMMailbox',
        'Update-UMPinKey'
    )
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags                       = @('Exchange', 'UnifiedMessaging', 'UM', 'PIN', 'Voicemail', 'Mailbox', 'Windows', 'Linux', 'MacOS')
            LicenseUri                 = 'https://opensource.org/license/mit'
            ReleaseNotes               = 'See CHANGELOG.md.'
            RequireLicenseAcceptance   = $false
            ExternalModuleDependencies = @()
        }
    }
}
