# Every error id with the exception class that scripts match on and the category. One entry per line: a test of the library
# reads this table and compares it with its own.
function Get-ErrorCatalogue {
    @{
        'InvalidIdentity'             = @{ Exception = 'InvalidIdentityException'; Category = 'InvalidArgument' }
        'ManagementObjectNotFound'    = @{ Exception = 'ManagementObjectNotFoundException'; Category = 'ObjectNotFound' }
        'ManagementObjectAmbiguous'   = @{ Exception = 'ManagementObjectAmbiguousException'; Category = 'InvalidArgument' }
        'MailboxNotUMEnabled'         = @{ Exception = 'MailboxNotUMEnabledException'; Category = 'InvalidOperation' }
        'InvalidNotifyEmail'          = @{ Exception = 'InvalidNotifyEmailException'; Category = 'InvalidArgument' }
        'NoNotificationAddress'       = @{ Exception = 'NoNotificationAddressException'; Category = 'InvalidArgument' }
        'InvalidParameterCombination' = @{ Exception = 'InvalidParameterCombinationException'; Category = 'InvalidArgument' }
        'OutsideScope'                = @{ Exception = 'OutsideScopeException'; Category = 'PermissionDenied' }
        'PinPolicyViolation'          = @{ Exception = 'PinPolicyViolationException'; Category = 'InvalidData' }
        'NoValidPin'                  = @{ Exception = 'PinPolicyViolationException'; Category = 'InvalidData' }
        'DirectoryUnavailable'        = @{ Exception = 'DirectoryUnavailableException'; Category = 'ConnectionError' }
        'WriteConflict'               = @{ Exception = 'DirectoryWriteConflictException'; Category = 'ResourceBusy' }
        'OutcomeUnknown'              = @{ Exception = 'DirectoryOutcomeUnknownException'; Category = 'ResourceBusy' }
        'AccessDenied'                = @{ Exception = 'AccessDeniedException'; Category = 'PermissionDenied' }
        'ConfigurationInvalid'        = @{ Exception = 'ConfigurationException'; Category = 'InvalidData' }
        'KeyUnavailable'              = @{ Exception = 'KeyUnavailableException'; Category = 'SecurityError' }
        'StoreCorrupt'                = @{ Exception = 'StoreCorruptException'; Category = 'InvalidData' }
        'ImportInvalid'               = @{ Exception = 'ImportInvalidException'; Category = 'InvalidData' }
        'AuditChainBroken'            = @{ Exception = 'AuditChainBrokenException'; Category = 'SecurityError' }
        'AuditFileUnusable'           = @{ Exception = 'AuditFileUnusableException'; Category = 'InvalidArgument' }
        'NotificationFailed'          = @{ Exception = 'NotificationFailedException'; Category = 'ResourceUnavailable' }
        'NativeFault'                 = @{ Exception = 'NativeLibraryException'; Category = 'InvalidOperation' }
        'NativeLibraryMissing'        = @{ Exception = 'NativeLibraryException'; Category = 'NotInstalled' }
        'NativeLibraryMismatch'       = @{ Exception = 'NativeLibraryException'; Category = 'NotInstalled' }
    }
}
