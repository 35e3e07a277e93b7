using System.Collections;

namespace UMMailboxPin
{
    /// <summary>One check of the configuration and its result.</summary>
    public sealed class ConfigurationCheck
    {
        internal ConfigurationCheck(Hashtable item)
        {
            Check = Field.Word(item, "check");
            Result = Field.Word(item, "result");
            Target = Field.Text(item, "target");
            Message = Field.Text(item, "message");
            RecommendedAction = Field.Text(item, "recommendedAction");
            ErrorId = Field.Text(item, "errorId");
        }

        internal ConfigurationCheck(string check, string result, string target, string message)
        {
            Check = check;
            Result = result;
            Target = target;
            Message = message;
        }

        /// <summary>What was checked: Directory, DomainController, Key and so on.</summary>
        public string Check { get; set; }

        /// <summary>Passed, Warning, Failed or Skipped.</summary>
        public string Result { get; set; }

        /// <summary>Which server, file or mailbox; null: none in particular.</summary>
        public string Target { get; set; }

        /// <summary>A sentence.</summary>
        public string Message { get; set; }

        /// <summary>What to do, or null.</summary>
        public string RecommendedAction { get; set; }

        /// <summary>The id of the error that commands fail with, or null.</summary>
        public string ErrorId { get; set; }

        /// <inheritdoc/>
        public override string ToString()
        {
            return Result + " " + Check + ": " + Message;
        }
    }
}
