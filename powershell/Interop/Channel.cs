using System;

namespace UMMailboxPin
{
    /// <summary>An Action of one type as an Action of object, without reflection at the call, which would wrap its exceptions.</summary>
    internal sealed class Channel<T>
    {
        private readonly Action<T> write;

        public Channel(Action<T> write)
        {
            this.write = write;
        }

        public void Write(object item)
        {
            write((T)item);
        }
    }
}
