using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What a function writes: the value of an expression statement in its own block, which the engine enumerates.</summary>
    /// <remarks>
    /// The engine takes one object after the other and passes it on before it asks for the next, outside of any method call. So a
    /// command downstream that throws, breaks or has enough ends the function as it ends a compiled cmdlet. The engine does not
    /// dispose this then: what must be cleaned up, the function's finally block does.
    /// </remarks>
    internal sealed class Output : IEnumerable, IEnumerator
    {
        private readonly CommandRuntime runtime;
        private readonly IEnumerator flow;

        internal Output(CommandRuntime runtime, IEnumerable flow)
        {
            this.runtime = runtime;
            this.flow = flow.GetEnumerator();
        }

        public object Current { get; private set; }

        public IEnumerator GetEnumerator()
        {
            return this;
        }

        /// <summary>A defect of the module's own ends the function: the engine would go on with the next statement.</summary>
        public bool MoveNext()
        {
            try
            {
                bool more = flow.MoveNext();
                Current = more ? flow.Current : null;
                return more;
            }
            catch (Exception exception)
            {
                if (runtime.Writing || CommandRuntime.IsPipelineStop(exception))
                {
                    throw;
                }

                runtime.Terminate(ErrorCatalogue.Defect(exception));
                return false;
            }
        }

        public void Reset()
        {
            throw new NotSupportedException();
        }
    }
}
