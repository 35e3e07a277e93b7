using System;
using System.Collections;
using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>The attempts of one pipeline of Test-UMMailboxPIN.</summary>
    public sealed class SignIn : ConfirmedChange
    {
        private readonly Hashtable request;
        private readonly SecureString pin;

        /// <summary>Asks for the PIN where none is bound, and opens the directory.</summary>
        public SignIn(CommandRuntime runtime) : base(runtime, Open(runtime))
        {
            request = Parameters.ResetRequest("Test-UMMailboxPIN", runtime.Bound);
            pin = GivenPin.Behind(runtime.Bound["Pin"] as string);
            if (pin != null && GivenPin.IsBlank(pin))
            {
                runtime.Terminate(ErrorCatalogue.BlankPin());
            }

            // PowerShell may end after this: a message must be on its way by then.
            request["deliver"] = true;
        }

        private static SessionCache Open(CommandRuntime runtime)
        {
            if (runtime.WhatIf)
            {
                runtime.Terminate(runtime.NewError(
                    "InvalidParameterCombination",
                    "Test-UMMailboxPIN makes a real attempt to sign in; one that did not count would be a free guess.",
                    "Run Test-UMMailboxPIN without -WhatIf, or look at the mailbox with Get-UMMailboxPIN.", null));
            }

            if (!runtime.Bound.Contains("Pin"))
            {
                runtime.Bound["Pin"] = GivenPin.Hold(Ask(runtime));
            }

            return SessionCache.OpenDirectory(runtime);
        }

        // Not by PowerShell's own question for a mandatory parameter: for a secret, at the end of its input, that ends the whole script
        // without an error.
        private static SecureString Ask(CommandRuntime runtime)
        {
            PSHost host = runtime.Cmdlet.Host;
            SecureString pin = null;
            string problem = "its input does not come from a terminal.";
            if (host.Name != "ConsoleHost" || !Console.IsInputRedirected)
            {
                FieldDescription field = new FieldDescription("Pin");
                field.SetParameterType(typeof(SecureString));
                problem = "the answer was empty.";
                try
                {
                    PSObject answer;
                    host.UI.Prompt("", "", new Collection<FieldDescription> { field }).TryGetValue("Pin", out answer);
                    pin = answer == null ? null : answer.BaseObject as SecureString;
                }
                catch (Exception exception)
                {
                    if (CommandRuntime.IsPipelineStop(exception))
                    {
                        throw;
                    }

                    problem = exception.GetBaseException().Message;
                }
            }

            if (pin == null || pin.Length == 0)
            {
                runtime.Terminate(ErrorCatalogue.MissingPin(problem));
            }

            return pin;
        }

        // The mailbox is not looked up: that would tell without an attempt which there are.
        internal override string LookUp()
        {
            ResetAdvice.AboutDomainController(Runtime, Cache, request);
            return !TryIdentify(request, "a mailbox") ? null
                : "Signing in to mailbox \"" + request["identity"] + "\" with a PIN, which counts as an attempt.";
        }

        internal override IEnumerable Commit()
        {
            NativeResult result;
            if (TryCommit(Native.SignIn(Cache.Session, request, pin), out result) && result.Value != null)
            {
                yield return new SignInResult(result.Value);
            }
        }

        internal override string Done(Hashtable value)
        {
            return "The attempt to sign in to mailbox \"" + value["identity"] + "\" was made and counted before the stop took effect.";
        }
    }
}
