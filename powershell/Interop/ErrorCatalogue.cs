using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>Every error id with the exception class that scripts match on and the category; and the records made of them.</summary>
    /// <remarks>The entries and the classes are generated from crates/core/src/error.rs (xtask/src/exceptions.rs).</remarks>
    public static partial class ErrorCatalogue
    {
        private static readonly Dictionary<string, Entry> Entries = new Dictionary<string, Entry>();

        /// <summary>The ids.</summary>
        public static string[] Ids
        {
            get
            {
                string[] ids = new string[Entries.Count];
                Entries.Keys.CopyTo(ids, 0);
                return ids;
            }
        }

        /// <summary>The exception of an id; one that is not known is the library's defect.</summary>
        public static Exception Exception(string id, string message)
        {
            return Find(id).Make(message);
        }

        /// <summary>The category of an id.</summary>
        public static string Category(string id)
        {
            return Find(id).Category;
        }

        internal static ErrorRecord Record(
            string id, string message, string recommendedAction, object target, object[] rules)
        {
            Exception exception = Exception(id, message);
            if (rules != null)
            {
                exception.Data["Rules"] = Array.ConvertAll(rules, delegate(object rule) { return Convert.ToString(rule); });
            }

            return Engine.ErrorRecord(exception, id, Category(id), target, message, recommendedAction);
        }

        /// <summary>Of a result that failed.</summary>
        internal static ErrorRecord Record(NativeResult result, object target)
        {
            if (result.Error == null)
            {
                return Record(
                    "NativeFault", "The native library failed with status " + result.Status + " and gave no description.",
                    "Report this as a defect of umpin.", target, null);
            }

            return Record(result.Error, target);
        }

        /// <summary>Of an error of the library's, as a result or an item of a listing has it.</summary>
        internal static ErrorRecord Record(Hashtable failure, object target)
        {
            Hashtable details = failure["details"] as Hashtable;
            string message = Line.Of(Convert.ToString(failure["message"]));
            object[] problems = details == null ? null : details["problems"] as object[];
            if (problems != null)
            {
                foreach (object problem in problems)
                {
                    Hashtable row = (Hashtable)problem;
                    message += Environment.NewLine + "line " + row["line"] + ": " + Line.Of(Convert.ToString(row["message"]));
                }
            }

            return Record(
                Convert.ToString(failure["id"]), message, failure["recommendedAction"] as string, target,
                details == null ? null : details["rules"] as object[]);
        }

        /// <summary>Nobody could be asked. Whoever reads the log of a scheduled task must see that nothing was changed.</summary>
        internal static ErrorRecord ConfirmationImpossible(Exception exception)
        {
            return Engine.ErrorRecord(
                exception, "ConfirmationImpossible", "InvalidOperation", null,
                "Nothing was changed, because the confirmation could not be asked for. " + exception.Message,
                "Run the command where the question can be answered, or with -Confirm:$false.");
        }

        /// <summary>No PIN was given, and nobody could be asked. The id is PowerShell's own for a parameter that is missing.</summary>
        internal static ErrorRecord MissingPin(string why)
        {
            string message = "No PIN was given, and it could not be asked for: " + why + " No attempt was made.";
            return Engine.ErrorRecord(
                new ArgumentException(message), "MissingMandatoryParameter", "InvalidArgument", null, message,
                "Pass -Pin, or run the command where it can be asked for.");
        }

        /// <summary>A PIN of white space. The id is PowerShell's own for an argument that is empty.</summary>
        internal static ErrorRecord BlankPin()
        {
            const string Message = "The value of -Pin is blank. No attempt was made.";
            return Engine.ErrorRecord(
                new ArgumentException(Message), "ParameterArgumentValidationError", "InvalidArgument", null, Message,
                "Pass the PIN that is to be tried.");
        }

        /// <summary>What the module itself did wrong.</summary>
        internal static ErrorRecord Defect(Exception exception)
        {
            return Engine.ErrorRecord(
                exception, "NativeFault", "InvalidOperation", null, exception.Message, "Report this as a defect of umpin.");
        }

        private static Entry Find(string id)
        {
            Entry entry;
            return Entries.TryGetValue(id, out entry) ? entry : Entries["NativeFault"];
        }

        private static void Add(string id, string category, Func<string, Exception> make)
        {
            Entries.Add(id, new Entry(category, make));
        }

        private sealed class Entry
        {
            internal Entry(string category, Func<string, Exception> make)
            {
                Category = category;
                Make = make;
            }

            internal string Category { get; private set; }

            internal Func<string, Exception> Make { get; private set; }
        }
    }
}
