using System;
using System.Collections;
using System.Management.Automation;
using System.Security;

namespace UMMailboxPin
{
    /// <summary>One pipeline of Set-UMMailboxPIN, or of Lock-UMMailbox and Unlock-UMMailbox, which are resets that keep the PIN.</summary>
    /// <remarks>
    /// Each item is looked up, asked about and committed, one by one or by a batch. However the pipeline ends, <see cref="Close"/>
    /// cancels what has not reached its commit point, waits for the rest, and says what can not be written.
    /// </remarks>
    public sealed class ResetRun
    {
        private readonly CommandRuntime runtime;
        private readonly SessionCache cache;
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
        private int items;
        private int failed;
        private bool begun;
        private bool closed;

        /// <summary>
        /// With the command's name, for the audit, and for Lock-UMMailbox and Unlock-UMMailbox with what it gives to -LockedOut of
        /// Set-UMMailboxPIN -KeepPin. Opens the directory.
        /// </summary>
        public ResetRun(CommandRuntime runtime, string name, object lockedOut)
        {
            this.runtime = runtime;
            cache = SessionCache.OpenDirectory(runtime);
            IDictionary bound = runtime.Bound;
            request = Parameters.ResetRequest(name, bound);
            if (lockedOut != null)
            {
                request["lockedOut"] = Parameters.IsTrue(lockedOut);
                request["keepPin"] = true;
            }

            pin = GivenPin.Behind(bound["Pin"] as string);
            sendEmail = !bound.Contains("SendEmail") || Parameters.IsTrue(bound["SendEmail"]);
            passThru = Parameters.IsTrue(bound["PassThru"]);
            threads = bound.Contains("ThrottleLimit") ? Convert.ToUInt32(bound["ThrottleLimit"]) : 0;
            advice = ResetAdvice.About(request, pin != null, sendEmail, passThru, cache.Directory);
            batch = new ResetBatch(cache);
            string[] words = Words(request);
            progress = new Progress(runtime, runtime.WhatIf ? "What if: " + words[0] : words[0]);
            counted = runtime.WhatIf ? "Would " + words[1] + " {0} mailboxes" : "{0} mailboxes";
            runtime.WhenDisposed(Close);
        }

        /// <summary>
        /// Looks one mailbox up, asks, and resets it or hands it to the batch. What can be written by now is: outcomes of earlier ones
        /// too.
        /// </summary>
        public IEnumerable Process()
        {
            return new Output(runtime, ProcessItem(Parameters.Identity(runtime.Bound)));
        }

        /// <summary>The orderly end waits for and writes every outcome.</summary>
        public IEnumerable Complete()
        {
            return new Output(runtime, Receive(int.MaxValue));
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

        // Under -WhatIf, and where ShouldProcess would ask, the look-up checks everything that the reset itself would check.
        private IEnumerable ProcessItem(object input)
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
            NativeResult result = LookUp(input);
            if (result.Cancelled)
            {
                ClosePlan();
                runtime.ThrowIfStopping();
                yield break;
            }

            IEnumerable written;
            if (result.Failed)
            {
                ClosePlan();
                failed++;
                item.Result = result;
                written = WriteInOrder();
            }
            else
            {
                runtime.ThrowIfStopping();
                item.Target = result.Value;
                runtime.WriteDiagnostics(result);
                WriteWarnings(result, input, false);
                written = Confirm();
            }

            foreach (object one in written)
            {
                yield return one;
            }

            begun = false;
        }

        // Where nobody can be asked, what has finished is written before the command ends.
        private IEnumerable Confirm()
        {
            ErrorRecord refusal;
            if (runtime.ShouldProcess(ResetTarget.Describe(item.Target, sendEmail), out refusal))
            {
                return threads == 0 ? Commit() : Submit();
            }

            return refusal == null ? new object[0] : Refuse(refusal);
        }

        private IEnumerable Refuse(ErrorRecord refusal)
        {
            ClosePlan();
            foreach (object written in WriteFinished())
            {
                yield return written;
            }

            runtime.Terminate(refusal);
        }

        private NativeResult LookUp(object input)
        {
            bool whatIf = runtime.WhatIf;
            Hashtable one = (Hashtable)request.Clone();
            if (!IdentityCandidates.Put(one, "identity", input))
            {
                return NativeResult.NoIdentity("a mailbox");
            }

            if (whatIf)
            {
                one["whatIf"] = true;
            }

            // What somebody agrees to must not become something else; where nobody is asked, the state at commit counts.
            one["confirm"] = runtime.Asks;

            NativeResult result = Native.NewPlan(cache.Session, one, pin);
            if (result.Failed)
            {
                return cache.Checked(result);
            }

            plan = (PlanHandle)result.Handle;
            bool validates = whatIf || runtime.Asks;
            do
            {
                CancelIfStopping();
                result = Native.PlanTarget(plan, validates);
            }
            while (result.Pending);
            return cache.Checked(result);
        }

        private IEnumerable Commit()
        {
            NativeResult result;
            do
            {
                CancelIfStopping();
                result = Native.PlanCommit(plan);
            }
            while (result.Pending);
            ClosePlan();
            item.Result = cache.Checked(result);
            batch.Untold.Add(item);
            runtime.ThrowIfStopping();
            return Write(item);
        }

        private IEnumerable Submit()
        {
            NativeResult result = batch.Open(threads);
            if (result != null && result.Failed)
            {
                runtime.Terminate(result, item.Input);
            }

            // No more are under way than are allowed to run, so that a stop leaves no more than those changed and not written.
            while (batch.Count >= threads)
            {
                foreach (object written in Receive(1))
                {
                    yield return written;
                }
            }

            result = batch.Submit(plan);
            ClosePlan();
            if (result.Status != Native.Ok)
            {
                item.Result = result;
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
                if (next.Result == null)
                {
                    NativeResult result = batch.Collect(wanted > 0);
                    if (result.Pending)
                    {
                        if (wanted <= 0)
                        {
                            yield break;
                        }

                        runtime.ThrowIfStopping();
                        ShowProgress();
                        continue;
                    }

                    next.Result = cache.Checked(result);
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
            NativeResult result = done.Result;
            runtime.WriteDiagnostics(result);
            if (result.Failed)
            {
                if (runtime.StopsAtErrors)
                {
                    foreach (object written in WriteFinished())
                    {
                        yield return written;
                    }
                }

                batch.Untold.Remove(done);
                WriteWarnings(result, done.Input, false);
                runtime.WriteError(result, done.Input);
                yield break;
            }

            batch.Untold.Remove(done);
            if (result.Cancelled)
            {
                yield break;
            }

            if (passThru)
            {
                yield return new ResetResult(result.Value, result.Pin);
            }

            if (runtime.StopsAtErrors && HasError(result))
            {
                foreach (object written in WriteFinished())
                {
                    yield return written;
                }
            }

            WriteWarnings(result, done.Input, false);
        }

        // Before an error that stops: ends what is under way, and writes what it had come to.
        private IEnumerable WriteFinished()
        {
            batch.Cancel();
            while (batch.Count > 0)
            {
                ResetItem next = batch.Dequeue();
                while (next.Result == null)
                {
                    NativeResult result = batch.Collect(true);
                    next.Result = result.Pending ? null : result;
                }

                if (next.Result.Value != null)
                {
                    if (passThru)
                    {
                        yield return new ResetResult(next.Result.Value, next.Result.Pin);
                    }

                    WriteWarnings(next.Result, next.Input, true);
                }
                else if (next.IsUnknown)
                {
                    runtime.WriteEachWarning(next.Input + ": " + next.Result.Error["message"]);
                }
            }
        }

        private void WriteWarnings(NativeResult result, object target, bool stopping)
        {
            foreach (Hashtable warning in result.Warnings)
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

        private static bool HasError(NativeResult result)
        {
            return Array.Exists(
                result.Warnings, delegate(object warning) { return "NotificationFailed".Equals(((Hashtable)warning)["id"]); });
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
