using System;
using System.Collections;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>What the Get- commands write: one object that is named, or all of a kind, page by page while somebody wants more.</summary>
    public sealed class Listing
    {
        private const int PageSize = 500;
        /// <summary>The default of -ResultSize, also for $null.</summary>
        private const ulong DefaultLimit = 1000;

        private readonly CommandRuntime runtime;
        private readonly SessionCache cache;
        private readonly Hashtable request = new Hashtable();
        private readonly ArrayList remarks = new ArrayList();
        private readonly Func<Hashtable, object> make;
        private bool paged = true;
        private bool errorsAsWarnings;

        private Listing(CommandRuntime runtime, string operation, Func<Hashtable, object> make)
        {
            this.runtime = runtime;
            cache = SessionCache.OpenDirectory(runtime);
            this.make = make;
            request["operation"] = operation;
        }

        /// <summary>For Get-UMMailboxPIN.</summary>
        public static Listing OfPins(CommandRuntime runtime)
        {
            Listing listing = new Listing(runtime, "pinInfo", delegate(Hashtable item) { return new UMMailboxPin(item); });
            listing.errorsAsWarnings = Parameters.IsTrue(runtime.Bound["IgnoreErrors"]);
            Parameters.AddSwitch(listing.request, runtime.Bound, "IgnoreDefaultScope");
            Parameters.AddText(listing.request, runtime.Bound, "DomainController");
            if (listing.request.Contains("domainController") && listing.cache.Directory == "embedded")
            {
                listing.remarks.Add(ResetAdvice.NoDomainControllers);
            }

            if (runtime.Bound.Contains("Credential"))
            {
                listing.remarks.Add("-Credential is ignored: the configuration says which account reads the directory.");
            }

            return listing;
        }

        /// <summary>For Get-UMPinNotification.</summary>
        public static Listing OfNotifications(CommandRuntime runtime)
        {
            return new Listing(runtime, "notifications", delegate(Hashtable item) { return new Notification(item); });
        }

        /// <summary>For Get-Mailbox.</summary>
        public static Listing OfMailboxes(CommandRuntime runtime)
        {
            return new Listing(runtime, "mailboxes", delegate(Hashtable item) { return new Mailbox(item); });
        }

        /// <summary>For Get-UMMailbox.</summary>
        public static Listing OfUMMailboxes(CommandRuntime runtime)
        {
            Listing listing = new Listing(runtime, "mailboxes", delegate(Hashtable item) { return new UMMailbox(item); });
            listing.request["umEnabledOnly"] = true;
            return listing;
        }

        /// <summary>For Get-UMMailboxPolicy.</summary>
        public static Listing OfPolicies(CommandRuntime runtime)
        {
            Listing listing = new Listing(runtime, "policies", delegate(Hashtable item) { return new UMMailboxPolicy(item); });
            listing.paged = false;
            return listing;
        }

        /// <summary>
        /// The object that -Identity names, or all of them, up to a limit; nothing where the pipeline is to name one.
        /// </summary>
        public IEnumerable Process(Unlimited resultSize)
        {
            return new Output(runtime, Select(resultSize));
        }

        private IEnumerable Select(Unlimited resultSize)
        {
            if (runtime.Bound.Contains("Identity"))
            {
                return FindOne(Parameters.Identity(runtime.Bound));
            }

            return runtime.ExpectingInput ? new object[0] : paged ? ReadAll(resultSize == null ? DefaultLimit : resultSize.Value) : ReadOnce();
        }

        private IEnumerable FindOne(object input)
        {
            Remark();
            Hashtable one = (Hashtable)request.Clone();
            if (!IdentityCandidates.Put(one, "identity", input))
            {
                runtime.WriteError(NativeResult.NoIdentity("an object"), input);
                yield break;
            }

            NativeResult result = cache.Send(runtime, one);
            foreach (object item in Present(result, result.Items, input))
            {
                yield return item;
            }
        }

        private IEnumerable ReadOnce()
        {
            NativeResult result = cache.Send(runtime, request);
            return Present(result, result.Items, null);
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
                NativeResult result = cache.Send(runtime, page);
                object[] items = result.Items;
                bool cut = (ulong)items.Length > left;
                if (cut)
                {
                    Array.Resize(ref items, (int)left);
                }

                foreach (object item in Present(result, items, null))
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
                page["after"] = result.Value == null ? null : result.Value["next"];
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

        private IEnumerable Present(NativeResult result, object[] items, object target)
        {
            runtime.ThrowIfStopping();
            runtime.WriteDiagnostics(result);
            if (result.Failed)
            {
                WriteFailure(ErrorCatalogue.Record(result, target));
                yield break;
            }

            foreach (Hashtable warning in result.Warnings)
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
                    WriteFailure(ErrorCatalogue.Record(failure, item["identity"]));
                }
            }
        }

        private void WriteFailure(ErrorRecord record)
        {
            if (errorsAsWarnings)
            {
                runtime.WriteEachWarning(record.Exception.Message);
            }
            else
            {
                runtime.WriteError(record);
            }
        }
    }
}
