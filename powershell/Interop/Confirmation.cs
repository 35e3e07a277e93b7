using System;
using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace UMMailboxPin
{
    /// <summary>One call of ShouldProcess, with a question that is asked where the cmdlet was called.</summary>
    /// <remarks>
    /// Who answers it with Suspend gets a nested prompt in the scope that asks. In the module's that would be its private functions and
    /// variables, under its preferences; in the caller's it is what the caller had before.
    /// </remarks>
    public sealed class Confirmation
    {
        private readonly PSCmdlet cmdlet;
        private readonly string sentence;
        private readonly string question;
        private bool given;
        private ExceptionDispatchInfo failure;

        internal Confirmation(PSCmdlet cmdlet, string sentence, string question)
        {
            this.cmdlet = cmdlet;
            this.sentence = sentence;
            this.question = question;
        }

        /// <summary>The answer of ShouldProcess, and its exceptions. The scope matters only where a question may be asked.</summary>
        internal bool IsGiven(bool mayAsk)
        {
            if (mayAsk)
            {
                // Arguments and not parameters: those would be variables of the caller's.
                cmdlet.InvokeCommand.InvokeScript(cmdlet.SessionState, ScriptBlock.Create("$args[0].Ask()"), this);
            }
            else
            {
                Ask();
            }

            if (failure != null)
            {
                failure.Throw();
            }

            return given;
        }

        /// <summary>For the script in the scope of the caller, which would make an error record of an exception.</summary>
        public void Ask()
        {
            try
            {
                given = cmdlet.ShouldProcess(sentence, question, "Confirm");
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
    }
}
