function Test-UMConfiguration {
    <#
    .SYNOPSIS
    Checks everything that the other commands need, and says what to do about what is wrong.

    .DESCRIPTION
    Writes one object for each check, with its Result: Passed, Warning (it works, and something should be done), Failed or Skipped (it was not looked at; the message says why). What is broken is a result and not an error: a configuration file with faults, a missing key or a controller that cannot be reached do not end the command.

    The checks are Configuration, Directory, DomainController and GlobalCatalog (each one that is configured or that DNS names), Certificate (until when, for which names), Account, ReadRights and WriteRights (on a mailbox as sample), Key (whether it is that of the records and of the audit log), CounterAttribute (who else has values in it), Clock, MailRelay (connection, TLS and sign-in) or PickupFolder, TestMessage, and Files (owner and mode of each file and folder).

    Nothing is changed. A message is sent only where -NotifyEmail is given; it announces no PIN.

    On Windows owners and access lists of files are not looked at; those checks are Skipped.

    .PARAMETER Identity
    The mailbox on which rights and key are tried, in any of the forms that Set-UMMailboxPIN takes. Omitted: the first mailbox with Unified Messaging that is found.

    .PARAMETER NotifyEmail
    An address to which a test message is sent. Omitted: none is sent.

    .INPUTS
    None.

    .OUTPUTS
    UMMailboxPin.ConfigurationCheck

    .EXAMPLE
    Test-UMConfiguration

    Checks everything but the delivery of a message.

    .EXAMPLE
    Test-UMConfiguration | Where-Object Result -In Warning, Failed | Format-List

    Shows only what something should be done about, with what that is.

    .EXAMPLE
    Test-UMConfiguration -NotifyEmail admin@contoso.com

    Sends a test message, too.

    .LINK
    Set-UMMailboxPIN

    .LINK
    about_UMMailboxPin
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Low', HelpUri = 'https://learn.microsoft.com/powershell/module/exchange/test-umconnectivity')]
    [OutputType([UMMailboxPin.ConfigurationCheck])]
    param(
        [Parameter(Position = 0)]
        [ValidateNotNull()]
        [UMMailboxPin.IdentityTransformation()]
        [UMMailboxPin.MailboxIdParameter] $Identity,

        [string] $NotifyEmail
    )

    begin {
        $runtime = [UMMailboxPin.CommandRuntime]::new($PSCmdlet, $ExecutionContext, $PSBoundParameters)
        $test = [UMMailboxPin.ConfigurationTest]::new($runtime)
    }

    process {
        $test.Process()
    }
}
