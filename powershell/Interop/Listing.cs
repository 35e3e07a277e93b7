using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What the Get- commands write: one object that is named, or all of a kind, page by page while somebody wants more.</summary>
    public sealed class Listing
    {
        private const int PageSize = 500;
        private const ulong UsualLimit = 1000;
        private readonly CommandRuntime runtime;
        private readonly Connection connection;
        private readonly Hashtable request = new Hashtable();
        private readonly ArrayList remarks = new ArrayList();
        private readonly Func<Hashtable, object> make;
        private bool paged = true;
        private bool errorsAsWarnings;

        private Listing(CommandRuntime runtime, Connection connection, string operation, Func<Hashtable, object> make)
        {
            this.runtime = runtime;
            this.connection = connection;
            this.make = make;
            request["operation"] = operation;
        }

        /// <summary>For Get-UMMailboxPIN, with what was bound to it.</summary>
        public static Listing OfPins(CommandRuntime runtime, Connection connection, IDictionary bound)
        {
            Listing listing = new Listing(runtime, connection, "pinInfo", delegate(Hashtable item) { return new UMMailboxPin(item); });
            listing.errorsAsWarnings = Parameters.IsTrue(bound["IgnoreErrors"]);
            Parameters.AddSwitch(listing.request, bound, "IgnoreDefaultScope");
            Parameters.AddText(listing.request, bound, "DomainController");
            if (listing.request.Contains("domainController") && connection.Directory == "embedded")
            {
                listing.remarks.Add(ResetAdvice.NoDomainControllers);
            }

            if (bound.Contains("Credential"))
            {
                listing.remarks.Add("-Credential is ignored: the configuration says which account reads the directory.");
            }

            return listing;
        }

        /// <summary>For Get-UMPinNotification.</summary>
        public static Listing OfNotifications(CommandRuntime runtime, Connection connection)
        {
            return new Listing(runtime, connection, "notifications", delegate(Hashtable item) { return new Notification(item); });
        }

        /// <summary>For Get-Mailbox.</summary>
        public static Listing OfMailboxes(CommandRuntime runtime, Connection connection)
        {
            return new Listing(runtime, connection, "mailboxes", delegate(Hashtable item) { return new Mailbox(item); });
        }

        /// <summary>For Get-UMMailbox.</summary>
        public static Listing OfUMMailboxes(CommandRuntime runtime, Connection connection)
        {
            Listing listing = new Listing(runtime, connection, "mailboxes", delegate(Hashtable item) { return new UMMailbox(item); });
            listing.request["umEnabledOnly"] = true;
            return listing;
        }

        /// <summary>For Get-UMMailboxPolicy.</summary>
        public static Listing OfPolicies(CommandRuntime runtime, Connection connection)
        {
            Listing listing = new Listing(runtime, connection, "policies", delegate(Hashtable item) { return new UMMailboxPolicy(item); });
            listing.paged = false;
            return listing;
        }

        /// <summary>The object that the input names.</summary>
        public IEnumerable Find(object input)
        {
            return new Output(runtime, FindOne(input));
        }

        /// <summary>All of them, up to a limit; null: the usual one.</summary>
        public IEnumerable All(Unlimited resultSize)
        {
            return new Output(runtime, paged ? ReadAll(resultSize == null ? UsualLimit : resultSize.Value) : ReadOnce());
        }

        private IEnumerable FindOne(object input)
        {
            Remark();
            Hashtable one = (Hashtable)request.Clone();
            if (!IdentityCandidates.Put(one, "identity", input))
            {
                runtime.WriteError(Answer.NoIdentity("an object"), input);
                yield break;
            }

            Answer answer = connection.Send(runtime, one);
            foreach (object item in Present(answer, answer.Items, input))
            {
                yield return item;
            }
        }

        private IEnumerable ReadOnce()
        {
            Answer answer = connection.Send(runtime, request);
            return Present(answer, answer.Items, null);
        }

        private IEnumerable ReadAll(ulong limit)
        {
            Remark();
            ulong left = limit;
            Hashtable page = (Hashtable)request.Clone();
            do
            {
                // One item more than wanted, which tells whether the limit cut.
                page["pageSize"] = left < PageSize ? (int)left + 1 : PageSize;
                Answer answer = connection.Send(runtime, page);
                object[] items = answer.Items;
                bool cut = (ulong)items.Length > left;
                if (cut)
                {
                    Array.Resize(ref items, (int)left);
                }

                foreach (object item in Present(answer, items, null))
                {
                    yield return item;
                }

                if (cut)
                {
                    runtime.WriteWarning(
                        "Only the first " + limit + " results are shown. Use -ResultSize with a larger number, or -ResultSize Unlimited.");
                    yield break;
                }

                left -= (ulong)items.Length;
                page["after"] = answer.Value == null ? null : answer.Value["next"];
            }
            while (page["after"] != null);
        }

        // With the first object, so that an empty pipeline says nothing.
        private void Remark()
        {
            foreach (string remark in remarks)
            {
                runtime.WriteWarning(remark);
            }
        }

        private IEnumerable Present(Answer answer, object[] items, object target)
        {
            runtime.ThrowIfStopping();
            runtime.WriteDiagnostics(answer);
            if (answer.Failed)
            {
                WriteFailure(ErrorCatalogue.Record(runtime, answer, target));
                yield break;
            }

            foreach (Hashtable warning in answer.Warnings)
            {
                runtime.WriteWarning((warning["message"] + " " + warning["recommendedAction"]).TrimEnd());
            }

            foreach (Hashtable item in items)
            {
                Hashtable failure = item["error"] as Hashtable;
                if (failure == null)
                {
                    yield return make(item);
                }
                else
                {
                    WriteFailure(ErrorCatalogue.Record(runtime.Engine, failure, item["identity"]));
                }
            }
        }

        private void WriteFailure(object record)
        {
            if (errorsAsWarnings)
            {
                Exception exception = (Exception)Engine.Get(record, "Exception");
                runtime.WriteEachWarning(exception.Message);
            }
            else
            {
                runtime.WriteError(record);
            }
        }
    }
}
