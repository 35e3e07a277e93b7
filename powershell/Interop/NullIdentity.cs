namespace UMMailboxPin
{
    /// <summary>Stands for a null from the pipeline, which PowerShell would bind without a conversion, and refuse.</summary>
    internal sealed class NullIdentity
    {
        internal static readonly NullIdentity Value = new NullIdentity();

        private NullIdentity()
        {
        }
    }
}
