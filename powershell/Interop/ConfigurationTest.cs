using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>What one call of Test-UMConfiguration does. What is broken is a result and no error.</summary>
    public sealed class ConfigurationTest
    {
        // What the library would have checked, in its order.
        private static readonly string[] Others =
        {
            "Directory", "DomainController", "Certificate", "Account", "ReadRights", "WriteRights", "Key", "CounterAttribute", "Clock",
            "MailRelay", "PickupFolder", "TestMessage", "Files"
        };

        private readonly CommandRuntime runtime;
        private readonly SessionCache cache;
        private readonly Hashtable request = new Hashtable();

        /// <summary>A session that cannot be opened is one of the results.</summary>
        public ConfigurationTest(CommandRuntime runtime)
        {
            this.runtime = runtime;
            cache = SessionCache.TryOpen(runtime);
            request["operation"] = "checkConfiguration";
        }

        /// <summary>Writes one object for each check. -WhatIf and a refusal leave out the test message alone.</summary>
        public IEnumerable Process()
        {
            return new Output(runtime, Run());
        }

        private IEnumerable Run()
        {
            object input = Parameters.Identity(runtime.Bound);
            // The mailbox on which rights and key are tried.
            if (runtime.Bound.Contains("Identity") && !IdentityCandidates.Put(request, "identity", input))
            {
                runtime.WriteError(NativeResult.NoIdentity("a mailbox"), input);
                return new object[0];
            }

            object address = runtime.Bound["NotifyEmail"];
            if (runtime.Bound.Contains("NotifyEmail") && runtime.ShouldProcess("Sending a test message to " + address + "."))
            {
                request["notifyEmail"] = Convert.ToString(address);
            }

            return Checks();
        }

        private IEnumerable Checks()
        {
            if (cache.Result.Failed)
            {
                foreach (ConfigurationCheck check in NotOpened(cache.Result))
                {
                    yield return check;
                }

                yield break;
            }

            NativeResult result = cache.Send(runtime, request);
            runtime.ThrowIfStopping();
            if (result.Failed)
            {
                runtime.WriteError(result, request["notifyEmail"]);
                yield break;
            }

            foreach (Hashtable item in result.Items)
            {
                yield return new ConfigurationCheck(item);
            }
        }

        /// <summary>Where not even a session could be opened: the library or the configuration file cannot be used.</summary>
        private static IEnumerable NotOpened(NativeResult result)
        {
            Hashtable error = result.Error ?? new Hashtable();
            string id = error["id"] as string;
            bool library = id == null || id.StartsWith("Native", StringComparison.Ordinal);
            ConfigurationCheck first = new ConfigurationCheck(
                library ? "Library" : "Configuration", "Failed", Convert.ToString(result.TargetObject),
                error["message"] as string ?? "The native library failed with status " + result.Status + ".");
            first.RecommendedAction = error["recommendedAction"] as string;
            first.ErrorId = id;
            yield return first;
            string why = library ? "The library could not be used." : "The configuration could not be used.";
            foreach (string other in Others)
            {
                yield return new ConfigurationCheck(other, "Skipped", null, why);
            }
        }
    }
}
