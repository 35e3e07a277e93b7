using System;
using System.Collections;

namespace UMMailboxPin
{
    /// <summary>One audited operation: what the log has as intent and as outcome, in one object.</summary>
    public sealed class AuditEntry
    {
        /// <summary>The nested objects come as what the pipeline shows them as.</summary>
        internal AuditEntry(Hashtable item, object parameters, object result, object details)
        {
            Date = Field.Time(item, "at");
            Cmdlet = Field.Text(item, "cmdlet");
            Action = Field.Text(item, "action");
            Caller = Field.Text(item, "caller");
            RunAs = Field.Text(item, "runAs");
            Host = Field.Text(item, "host");
            Target = Field.Text(item, "target");
            TargetGuid = Field.Text(item, "targetGuid");
            Parameters = parameters;
            Succeeded = item["succeeded"] as bool?;
            Outcome = Succeeded == null ? "Unknown" : Succeeded.Value ? "Succeeded" : "Failed";
            Result = result;
            Details = details;
            Application = Field.Text(item, "application");
            OperationId = Field.Text(item, "operationId");
            Kind = Field.Text(item, "kind");
            Entry = Field.LongNumber(item, "seq");
            ChainState = Field.Text(item, "chainState") == "intact" ? "Intact" : "Broken";
        }

        /// <summary>When, in local time.</summary>
        public DateTime? Date { get; set; }

        /// <summary>The cmdlet, or null.</summary>
        public string Cmdlet { get; set; }

        /// <summary>What was done.</summary>
        public string Action { get; set; }

        /// <summary>Who did it, or null.</summary>
        public string Caller { get; set; }

        /// <summary>The account that carried it out, where that is not the caller's; or null.</summary>
        public string RunAs { get; set; }

        /// <summary>On which host.</summary>
        public string Host { get; set; }

        /// <summary>To what, or null.</summary>
        public string Target { get; set; }

        /// <summary>The target's GUID, or null.</summary>
        public string TargetGuid { get; set; }

        /// <summary>The parameters without a PIN, or null.</summary>
        public object Parameters { get; set; }

        /// <summary>Whether it succeeded; null: the outcome is missing.</summary>
        public bool? Succeeded { get; set; }

        /// <summary>Succeeded, Failed, or Unknown where no outcome was recorded: the values of -Outcome, for people.</summary>
        public string Outcome { get; set; }

        /// <summary>What came of it beside that, or null.</summary>
        public object Result { get; set; }

        /// <summary>More about it, or null.</summary>
        public object Details { get; set; }

        /// <summary>The program, or null.</summary>
        public string Application { get; set; }

        /// <summary>The identifier that intent and outcome share.</summary>
        public string OperationId { get; set; }

        /// <summary>What kind of entry it is.</summary>
        public string Kind { get; set; }

        /// <summary>The number of the entry in its chain.</summary>
        public long? Entry { get; set; }

        /// <summary>Intact or Broken: whether the chain is whole up to here.</summary>
        public string ChainState { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return string.Format("{0:u} {1} {2} {3}", Date, Action, Line.Of(Target), Outcome);
        }
    }
}
