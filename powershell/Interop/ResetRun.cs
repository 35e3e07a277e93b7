using System;
using System.Collections;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>One pipeline of Set-UMMailboxPIN, or of Lock-UMMailbox and Unlock-UMMailbox, which are resets that keep the PIN.</summary>
    /// <remarks>
    /// Each item is looked up, asked about by the function, and committed, one by one or by a batch. It is here and not in the script
    /// because PowerShell compiles each expression when it is first reached, about a millisecond each. However the pipeline ends,
    /// <see cref="Close"/> cancels what has not reached its commit point, waits for the rest, and says what can not be written.
    /// </remarks>
    public sealed class ResetRun
    {
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly Hashtable request;
        private readonly bool sendEmail;
        private readonly bool passThru;
        private readonly uint threads;
        private readonly string[] advice;
        private readonly Progress progress;
        private readonly string counted;
        private readonly ResetBatch batch;
        private SecureString pin;
        private ResetItem item;
        private PlanHandle plan;
        private object refusal;
        private int items;
        private int failed;
        private bool begun;
        private bool closed;

        /// <summary>With the cmdlet's name, for the audit, and what was bound to it.</summary>
        public ResetRun(CommandRuntime runtime, string name, IDictionary bound, Connection connection)
        {
            this.runtime = runtime;
            this.connection = connection;
            request = Parameters.ResetRequest(name, bound);
            pin = GivenPin.Behind(bound["Pin"] as string);
            sendEmail = !bound.Contains("SendEmail") || Parameters.IsTrue(bound["SendEmail"]);
            passThru = Parameters.IsTrue(bound["PassThru"]);
            threads = bound.Contains("ThrottleLimit") ? Convert.ToUInt32(bound["ThrottleLimit"]) : 0;
            advice = ResetAdvice.About(request, pin != null, sendEmail, passThru, connection.Directory);
            batch = new ResetBatch(connection);
            string[] words = Words(request);
            progress = new Progress(runtime, runtime.WhatIf ? "What if: " + words[0] : words[0]);
            counted = runtime.WhatIf ? "Would " + words[1] + " {0} mailboxes" : "{0} mailboxes";
            runtime.WhenDisposed(Close);
        }

        /// <summary>Whether a mailbox has been looked up that can be reset.</summary>
        public bool Found
        {
            get { return plan != null; }
        }

        /// <summary>What -WhatIf and -Confirm show about it.</summary>
        public string Sentence
        {
            get { return ResetTarget.Describe(item.Target, sendEmail); }
        }

        /// <summary>
        /// Looks one mailbox up. What can be written by now is: outcomes of earlier ones, or why this one cannot be reset. Under
        /// -WhatIf, and where ShouldProcess would ask, everything is checked that the reset itself would check.
        /// </summary>
        public IEnumerable Find(object input)
        {
            return new Output(runtime, FindItem(input));
        }

        /// <summary>
        /// ShouldProcess, which fails closed. Where nobody can be asked, <see cref="Commit"/> ends the function instead of committing,
        /// so true means that it must be called.
        /// </summary>
        public bool ShouldProcess(string sentence)
        {
            bool go = runtime.ShouldProcess(sentence, out refusal) || refusal != null;
            begun = go;
            return go;
        }

        /// <summary>Carries the reset out that was looked up and confirmed, or hands it to the batch.</summary>
        public IEnumerable Commit()
        {
            return new Output(runtime, CommitItem());
        }

        /// <summary>The orderly end waits for and writes every outcome.</summary>
        public IEnumerable Complete()
        {
            return new Output(runtime, CompleteRun());
        }

        /// <summary>
        /// After each item, however it ended. One that was not taken to its end stops the run: neither end nor a later process would
        /// be called.
        /// </summary>
        public void EndItem()
        {
            if (begun)
            {
                Close();
            }
            else
            {
                ClosePlan();
            }
        }

        /// <summary>Cancels what has not reached its commit point, waits for the rest, and says what could not be written.</summary>
        public void Close()
        {
            if (closed)
            {
                return;
            }

            closed = true;
            pin = null;
            ClosePlan();
            batch.Abandon();
            progress.End();
            string told = batch.Untold.Describe(runtime.Name);
            if (told != null)
            {
                runtime.Tell(told);
            }
        }

        private IEnumerable FindItem(object input)
        {
            begun = true;
            item = new ResetItem(input);
            items++;
            if (items == 1)
            {
                // With the first item, so that an empty pipeline says nothing.
                foreach (string text in advice)
                {
                    runtime.WriteWarning(text);
                }
            }

            ShowProgress();
            Answer answer = LookUp(input);
            if (answer.Failed)
            {
                ClosePlan();
                failed++;
                item.Answer = answer;
                foreach (object written in WriteInOrder())
                {
                    yield return written;
                }

                begun = false;
            }
            else if (answer.Cancelled)
            {
                ClosePlan();
                runtime.ThrowIfStopping();
            }
            else
            {
                runtime.ThrowIfStopping();
                item.Target = answer.Value;
                runtime.WriteDiagnostics(answer);
                WriteWarnings(answer, input, false);
            }
        }

        private Answer LookUp(object input)
        {
            bool whatIf = runtime.WhatIf;
            Hashtable one = (Hashtable)request.Clone();
            if (!IdentityCandidates.Put(one, "identity", input))
            {
                return Answer.NoIdentity("a mailbox");
            }

            if (whatIf)
            {
                one["whatIf"] = true;
            }

            // What somebody agrees to must not become something else; where nobody is asked, the state at commit counts.
            one["confirm"] = runtime.Asks;

            Answer answer = Native.NewPlan(connection.Session, one, pin);
            if (answer.Failed)
            {
                return connection.Checked(answer);
            }

            plan = (PlanHandle)answer.Handle;
            bool validates = whatIf || runtime.Asks;
            do
            {
                CancelIfStopping();
                answer = Native.PlanTarget(plan, validates);
            }
            while (answer.Pending);
            return connection.Checked(answer);
        }

        private IEnumerable CommitItem()
        {
            if (refusal != null)
            {
                ClosePlan();
                foreach (object written in WriteFinished())
                {
                    yield return written;
                }

                runtime.Terminate(refusal);
            }
            else if (threads == 0)
            {
                Answer answer;
                do
                {
                    CancelIfStopping();
                    answer = Native.PlanCommit(plan);
                }
                while (answer.Pending);
                ClosePlan();
                item.Answer = connection.Checked(answer);
                batch.Untold.Add(item);
                runtime.ThrowIfStopping();
                foreach (object written in Write(item))
                {
                    yield return written;
                }
            }
            else
            {
                foreach (object written in Submit())
                {
                    yield return written;
                }
            }

            begun = false;
        }

        private IEnumerable Submit()
        {
            Answer answer = batch.Open(threads);
            if (answer != null && answer.Failed)
            {
                runtime.Terminate(answer, item.Input);
            }

            // No more are under way than are allowed to run, so that a stop leaves no more than those changed and not written.
            while (batch.Count >= threads)
            {
                foreach (object written in Receive(1))
                {
                    yield return written;
                }
            }

            answer = batch.Submit(plan);
            ClosePlan();
            if (answer.Status != Native.Ok)
            {
                item.Answer = answer;
                foreach (object written in WriteInOrder())
                {
                    yield return written;
                }
            }
            else
            {
                batch.Enqueue(item);
                foreach (object written in Receive(0))
                {
                    yield return written;
                }
            }
        }

        // An item that failed before it was submitted waits for those ahead of it. One that will stop the pipeline lets them finish:
        // what comes after it has not been accepted.
        private IEnumerable WriteInOrder()
        {
            batch.Enqueue(item);
            return Receive(runtime.StopsAtErrors ? int.MaxValue : 0);
        }

        // Writes what has been answered, and waits until so many submitted ones have been.
        private IEnumerable Receive(int wanted)
        {
            while (batch.Count > 0)
            {
                ResetItem next = batch.Peek();
                if (next.Answer == null)
                {
                    Answer answer = batch.Collect(wanted > 0);
                    if (answer.Pending)
                    {
                        if (wanted <= 0)
                        {
                            yield break;
                        }

                        runtime.ThrowIfStopping();
                        ShowProgress();
                        continue;
                    }

                    next.Answer = connection.Checked(answer);
                    wanted--;
                }

                // Taken off before it is written: writing may stop the pipeline.
                batch.Untold.Add(batch.Dequeue());
                foreach (object written in Write(next))
                {
                    yield return written;
                }
            }
        }

        // The object comes first: under -ErrorAction Stop the caller must still get a PIN that was generated. A PIN that was changed
        // without its message arriving is an error.
        private IEnumerable Write(ResetItem done)
        {
            Answer answer = done.Answer;
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                if (runtime.StopsAtErrors)
                {
                    foreach (object written in WriteFinished())
                    {
                        yield return written;
                    }
                }

                batch.Untold.Remove(done);
                WriteWarnings(answer, done.Input, false);
                runtime.WriteError(answer, done.Input);
                yield break;
            }

            batch.Untold.Remove(done);
            if (answer.Cancelled)
            {
                yield break;
            }

            if (passThru)
            {
                yield return new ResetResult(answer.Value, answer.Pin);
            }

            if (runtime.StopsAtErrors && HasError(answer))
            {
                foreach (object written in WriteFinished())
                {
                    yield return written;
                }
            }

            WriteWarnings(answer, done.Input, false);
        }

        // Before an error that stops: ends what is under way, and writes what it had come to.
        private IEnumerable WriteFinished()
        {
            batch.Cancel();
            while (batch.Count > 0)
            {
                ResetItem next = batch.Dequeue();
                while (next.Answer == null)
                {
                    Answer answer = batch.Collect(true);
                    next.Answer = answer.Pending ? null : answer;
                }

                if (next.Answer.Value != null)
                {
                    if (passThru)
                    {
                        yield return new ResetResult(next.Answer.Value, next.Answer.Pin);
                    }

                    WriteWarnings(next.Answer, next.Input, true);
                }
                else if (next.IsUnknown)
                {
                    runtime.WriteEachWarning(next.Input + ": " + next.Answer.Error["message"]);
                }
            }
        }

        private IEnumerable CompleteRun()
        {
            foreach (object written in Receive(int.MaxValue))
            {
                yield return written;
            }
        }

        private void WriteWarnings(Answer answer, object target, bool stopping)
        {
            foreach (Hashtable warning in answer.Warnings)
            {
                string id = Convert.ToString(warning["id"]);
                string text = (warning["message"] + " " + warning["recommendedAction"]).TrimEnd();
                if (id == "NotificationFailed" && !stopping)
                {
                    runtime.WriteError(
                        runtime.NewError(id, Convert.ToString(warning["message"]), warning["recommendedAction"] as string, target));
                }
                else if (id == "PickupPilesUp")
                {
                    // True of the store and not of the mailbox: once per pipeline.
                    runtime.WriteWarning(text, id);
                }
                else if (id != "NotifyEmailIgnored")
                {
                    // That one is among the advice.
                    runtime.WriteWarning(text);
                }
            }
        }

        // What is done, for the progress.
        private static string[] Words(Hashtable request)
        {
            if (!true.Equals(request["keepPin"]))
            {
                return new string[] { "Resetting Unified Messaging PINs", "reset" };
            }

            return true.Equals(request["lockedOut"])
                ? new string[] { "Locking mailboxes", "lock" }
                : new string[] { "Unlocking mailboxes", "unlock" };
        }

        private static bool HasError(Answer answer)
        {
            return Array.Exists(
                answer.Warnings, delegate(object warning) { return "NotificationFailed".Equals(((Hashtable)warning)["id"]); });
        }

        private void ShowProgress()
        {
            // Under -WhatIf what would be done, which is nothing where it would fail.
            progress.Show(counted, runtime.WhatIf ? items - 1 - failed : items);
        }

        private void CancelIfStopping()
        {
            if (runtime.Stopping)
            {
                plan.Cancel();
            }
        }

        private void ClosePlan()
        {
            if (plan != null)
            {
                plan.Dispose();
                plan = null;
            }
        }
    }
}
