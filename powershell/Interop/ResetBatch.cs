using System.Collections;

namespace UMMailboxPin
{
    /// <summary>The items of a run that have been accepted and not yet written, in the order of the input.</summary>
    internal sealed class ResetBatch
    {
        private readonly SessionCache cache;
        private readonly Queue items = new Queue();
        private BatchHandle handle;

        internal ResetBatch(SessionCache cache)
        {
            this.cache = cache;
            Untold = new UntoldChanges();
        }

        /// <summary>How many there are.</summary>
        internal int Count
        {
            get { return items.Count; }
        }

        /// <summary>What has been carried out and could not be written so far.</summary>
        internal UntoldChanges Untold { get; private set; }

        /// <summary>Makes the library's batch, unless there is one. Null, or what that gave.</summary>
        internal NativeResult Open(uint threads)
        {
            if (handle != null)
            {
                return null;
            }

            NativeResult result = cache.Checked(Native.NewBatch(cache.Session, threads));
            handle = (BatchHandle)result.Handle;
            return result;
        }

        /// <summary>Hands a plan over; pending: the window is full.</summary>
        internal NativeResult Submit(PlanHandle plan)
        {
            return cache.Checked(Native.BatchSubmit(handle, plan));
        }

        /// <summary>The outcome of the oldest item that was submitted; pending: there is none yet.</summary>
        internal NativeResult Collect(bool wait)
        {
            return Native.BatchCollect(handle, wait);
        }

        internal void Enqueue(ResetItem item)
        {
            items.Enqueue(item);
        }

        internal ResetItem Peek()
        {
            return (ResetItem)items.Peek();
        }

        internal ResetItem Dequeue()
        {
            return (ResetItem)items.Dequeue();
        }

        /// <summary>Ends what has not reached its commit point; the outcomes are still to be collected.</summary>
        internal void Cancel()
        {
            if (handle != null)
            {
                handle.Cancel();
            }
        }

        /// <summary>Cancels, and waits for what could not be cancelled any more.</summary>
        internal void Abandon()
        {
            if (items.Count > 0)
            {
                Cancel();
            }

            while (items.Count > 0)
            {
                ResetItem item = Dequeue();
                while (item.Result == null)
                {
                    NativeResult result = Collect(true);
                    item.Result = result.Pending ? null : result;
                }

                Untold.Add(item);
            }

            if (handle != null)
            {
                handle.Dispose();
                handle = null;
            }
        }
    }
}
