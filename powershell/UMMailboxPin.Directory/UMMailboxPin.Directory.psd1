@{
    RootModule           = 'UMMailboxPin.Directory.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = 'e2b6f0d4-8c1a-4d57-b0ce-71f3a9d86523'
    Author               = 'umpin contributors'
    CompanyName          = 'umpin contributors'
    Copyright            = '(c) umpin contributors. MIT OR Apache-2.0.'
    Description          = 'Get-Mailbox, Get-UMMailbox and their kin on the directory of UMMailboxPin, for sessions that have no Exchange, and Import-UMDirectory to fill it.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    RequiredModules      = @(@{ ModuleName = 'UMMailboxPin'; RequiredVersion = '0.1.0'; GUID = '6a0c7d1e-3f52-4a8c-9a37-0d2a5f4be1c9' })
    FormatsToProcess     = @('UMMailboxPin.Directory.Format.ps1xml')
    FunctionsToExport    = @('Get-Mailbox', 'Get-UMMailbox', 'Get-UMMailboxPolicy', 'Import-UMDirectory', 'Remove-UMDirectoryMailbox')
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    PrivateData          = @{
        PSData = @{
            Tags                       = @('Exchange', 'UnifiedMessaging', 'UM', 'Mailbox', 'Directory', 'Windows', 'Linux', 'MacOS')
            LicenseUri                 = 'https://opensource.org/license/mit'
            ReleaseNotes               = 'See CHANGELOG.md.'
            RequireLicenseAcceptance   = $false
            ExternalModuleDependencies = @()
        }
    }
}
