using System.Collections;

namespace UMMailboxPin
{
    /// <summary>One mailbox of a run: what was given for it, what that was found to be, and what became of it.</summary>
    internal sealed class ResetItem
    {
        internal ResetItem(object input)
        {
            Input = input;
        }

        /// <summary>What the caller gave.</summary>
        internal object Input { get; private set; }

        /// <summary>The mailbox and what is to happen to it, once it has been looked up.</summary>
        internal Hashtable Target { get; set; }

        /// <summary>The outcome, or null: it is under way.</summary>
        internal NativeResult Result { get; set; }

        /// <summary>Whether the change may have been made or not.</summary>
        internal bool IsUnknown
        {
            get { return Result.Failed && Result.Error != null && "OutcomeUnknown".Equals(Result.Error["id"]); }
        }
    }
}
