using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The state of one pipeline of resets, and the library's part of what happens to each of its items.</summary>
    /// <remarks>
    /// PowerShell compiles each expression of a script when it is first reached, about a millisecond each, so the first reset of a
    /// process costs what its script is long. What needs no PowerShell is here; what writes, asks or stops is in the script.
    /// </remarks>
    public sealed class ResetRun
    {
        private readonly Hashtable request;
        private readonly bool verbose;
        private string pin;
        private bool validates;
        private Hashtable target;

        /// <summary>With the cmdlet's name, for the audit, and what was bound to it.</summary>
        public ResetRun(object cmdlet, string name, IDictionary bound, Connection connection, object verbosePreference)
        {
            Cmdlet = cmdlet;
            Session = connection.Session;
            request = Parameters.ResetRequest(name, bound);
            verbose = !IsOneOf(verbosePreference, "SilentlyContinue", "Ignore");
            pin = Convert.ToString(bound["Pin"]);
            SendEmail = !bound.Contains("SendEmail") || Parameters.IsTrue(bound["SendEmail"]);
            PassThru = bound.Contains("PassThru") && Parameters.IsTrue(bound["PassThru"]);
            Threads = bound.Contains("ThrottleLimit") ? Convert.ToUInt32(bound["ThrottleLimit"]) : 0;
            Advice = ResetAdvice.About(request, pin.Length > 0, SendEmail, PassThru, connection.Directory);
            Warned = new Hashtable();
            Queue = new Queue();
            Progress = new Progress();
        }

        /// <summary>The running cmdlet, which writes.</summary>
        public object Cmdlet { get; private set; }

        /// <summary>The session that everything goes to.</summary>
        public SessionHandle Session { get; private set; }

        /// <summary>Whether messages are sent.</summary>
        public bool SendEmail { get; private set; }

        /// <summary>Whether an object is written for each mailbox.</summary>
        public bool PassThru { get; private set; }

        /// <summary>How many resets may go on at once; 0: one by one.</summary>
        public uint Threads { get; private set; }

        /// <summary>Whether resets go to the batch.</summary>
        public bool Parallel
        {
            get { return Threads > 0; }
        }

        /// <summary>The warnings about the parameters themselves.</summary>
        public string[] Advice { get; private set; }

        /// <summary>The warnings that have been written.</summary>
        public Hashtable Warned { get; private set; }

        /// <summary>Stays true when the pipeline is stopped while it writes.</summary>
        public bool Writing { get; set; }

        /// <summary>The batch, once there is one.</summary>
        public BatchHandle Batch { get; set; }

        /// <summary>Items of the batch that have not been written.</summary>
        public Queue Queue { get; private set; }

        /// <summary>When to show progress.</summary>
        public Progress Progress { get; private set; }

        /// <summary>The reset that has been looked up and not yet carried out, or null.</summary>
        public PlanHandle Plan { get; private set; }

        /// <summary>What -WhatIf and -Confirm show about the mailbox that was looked up.</summary>
        public string Sentence
        {
            get { return ResetTarget.Describe(target, SendEmail); }
        }

        /// <summary>Whether there is something to write at the end.</summary>
        public bool Unfinished
        {
            get { return Queue.Count > 0 || Progress.Shown; }
        }

        /// <summary>Counts an item, and tells whether there is advice or progress to write before it.</summary>
        public bool NextItem()
        {
            Progress.Count++;
            return (Progress.Count == 1 && Advice.Length > 0) || Progress.IsDue();
        }

        /// <summary>
        /// Starts one reset in <see cref="Plan"/> and looks its mailbox up: the answer's value is what would be reset. Under -WhatIf,
        /// and where ShouldProcess would ask, everything is checked that the reset itself would check, the history included.
        /// </summary>
        public Answer Look(string identity, bool whatIf, object confirmPreference)
        {
            if (string.IsNullOrWhiteSpace(identity))
            {
                return Answer.Refusal(
                    "InvalidIdentity", "The value of -Identity is empty or has no property that names a mailbox.",
                    "Pass a GUID, DN, canonical name, DOMAIN\\account, UPN, e-mail address, alias or name.", null);
            }

            validates = whatIf || IsOneOf(confirmPreference, "Low", "Medium");
            Hashtable one = (Hashtable)request.Clone();
            one["identity"] = identity.Trim();
            if (whatIf)
            {
                one["whatIf"] = true;
            }

            Answer answer = Native.NewPlan(Session, one, pin);
            if (answer.Failed)
            {
                return answer;
            }

            Plan = (PlanHandle)answer.Handle;
            return LookAgain();
        }

        /// <summary>Waits on for a look-up that is pending.</summary>
        public Answer LookAgain()
        {
            Answer answer = Native.PlanTarget(Plan, validates);
            target = answer.Value;
            answer.Silent = IsSilent(answer);
            return answer;
        }

        /// <summary>Carries the reset out, or waits on for it. Stopped while waiting, it is finished by the library all the same.</summary>
        public Answer Commit()
        {
            Answer answer = Native.PlanCommit(Plan);
            answer.Silent = IsSilent(answer) && !PassThru;
            return answer;
        }

        /// <summary>Drops the reset, if there is one; what was submitted or committed goes on.</summary>
        public void ClosePlan()
        {
            if (Plan != null)
            {
                Plan.Dispose();
                Plan = null;
            }
        }

        /// <summary>Accepts nothing more and lets what is in flight finish.</summary>
        public void Close()
        {
            ClosePlan();
            pin = "";
            if (Batch != null)
            {
                Batch.Drain(30000);
                Batch.Dispose();
                Batch = null;
            }
        }

        private bool IsSilent(Answer answer)
        {
            return !answer.Failed && !answer.HasWarnings && !(verbose && answer.Diagnostics.Length > 0);
        }

        private static bool IsOneOf(object preference, string one, string other)
        {
            string text = Convert.ToString(preference);
            return text.Equals(one, StringComparison.OrdinalIgnoreCase) || text.Equals(other, StringComparison.OrdinalIgnoreCase);
        }
    }
}
