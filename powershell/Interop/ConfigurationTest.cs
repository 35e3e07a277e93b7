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
        private readonly Connection connection;
        private readonly Hashtable request = new Hashtable();

        /// <summary>The connection may be one that could not be opened.</summary>
        public ConfigurationTest(CommandRuntime runtime, Connection connection)
        {
            this.runtime = runtime;
            this.connection = connection;
            request["operation"] = "checkConfiguration";
        }

        /// <summary>Names the mailbox on which rights and key are tried. False: it names none, which was told.</summary>
        public bool TrySample(object input)
        {
            if (IdentityCandidates.Put(request, "identity", input))
            {
                return true;
            }

            runtime.WriteError(Answer.NoIdentity("a mailbox"), input);
            return false;
        }

        /// <summary>Sends a test message to this address.</summary>
        public void Notify(string address)
        {
            request["notifyEmail"] = address;
        }

        /// <summary>Writes one object for each check.</summary>
        public IEnumerable Run()
        {
            return new Output(runtime, Checks());
        }

        private IEnumerable Checks()
        {
            if (connection.Answer.Failed)
            {
                foreach (ConfigurationCheck check in NotOpened(connection.Answer))
                {
                    yield return check;
                }

                yield break;
            }

            Answer answer = connection.Send(runtime, request);
            runtime.ThrowIfStopping();
            if (answer.Failed)
            {
                runtime.WriteError(answer, request["notifyEmail"]);
                yield break;
            }

            foreach (Hashtable item in answer.Items)
            {
                yield return new ConfigurationCheck(item);
            }
        }

        /// <summary>Where not even a session could be opened: the library or the configuration file cannot be used.</summary>
        private static IEnumerable NotOpened(Answer answer)
        {
            Hashtable error = answer.Error ?? new Hashtable();
            string id = error["id"] as string;
            bool library = id == null || id.StartsWith("Native", StringComparison.Ordinal);
            ConfigurationCheck first = new ConfigurationCheck(
                library ? "Library" : "Configuration", "Failed", Convert.ToString(answer.TargetObject),
                error["message"] as string ?? "The native library failed with status " + answer.Status + ".");
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
