using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;

namespace UMMailboxPin
{
    /// <summary>What names the mailbox in whatever was given to -Identity, the strongest first.</summary>
    /// <remarks>
    /// An object of another system, such as an Exchange shell beside this one, may have a GUID that is unknown here; then its
    /// other names count, in this order.
    /// </remarks>
    internal static class IdentityCandidates
    {
        // Of a mailbox, and of the state of a PIN, Identity may be ambiguous; the ids are not.
        private static readonly string[] OfMailbox =
        {
            "Guid", "UserObjectId", "DistinguishedName", "Identity", "PrimarySmtpAddress", "UserPrincipalName", "Alias",
        };

        private static readonly string[] OfPolicy = { "Guid", "DistinguishedName", "Identity", "Name" };

        private static readonly string[] OfPinState = { "UserObjectId", "DistinguishedName", "Identity", "UserID" };

        // In a row of a file, Identity is what its author chose.
        private static readonly string[] OfRow =
        {
            "Identity", "UserObjectId", "Guid", "DistinguishedName", "PrimarySmtpAddress", "UserPrincipalName", "Alias",
        };

        /// <summary>
        /// Puts them into a request: the first under the member given, the others as its alternatives. False: nothing in the input
        /// names a mailbox.
        /// </summary>
        internal static bool Put(Hashtable request, string member, object input)
        {
            List<string> candidates = Of(input);
            if (candidates.Count == 0)
            {
                return false;
            }

            request[member] = candidates[0];
            request.Remove("alternatives");
            if (candidates.Count > 1)
            {
                request["alternatives"] = candidates.GetRange(1, candidates.Count - 1).ToArray();
            }

            return true;
        }

        private static List<string> Of(object input)
        {
            List<string> candidates = new List<string>();
            PSObject wrapped = input as PSObject;
            object value = wrapped == null ? input : wrapped.BaseObject;
            if (value is string || value is ValueType)
            {
                Add(candidates, input);
                return candidates;
            }

            if (value == null)
            {
                return candidates;
            }

            PSObject item = PSObject.AsPSObject(input);
            foreach (string name in Names(item))
            {
                PSPropertyInfo property = item.Properties[name];
                if (property != null)
                {
                    Add(candidates, property.Value);
                }
            }

            return candidates;
        }

        // Microsoft's types, their Deserialized. and Selected. forms, and our own.
        private static string[] Names(PSObject item)
        {
            foreach (string type in item.TypeNames)
            {
                if (type.EndsWith("UMMailboxPin", StringComparison.OrdinalIgnoreCase))
                {
                    return OfPinState;
                }

                if (type.EndsWith("UMMailboxPolicy", StringComparison.OrdinalIgnoreCase))
                {
                    return OfPolicy;
                }

                if (type.EndsWith("Mailbox", StringComparison.OrdinalIgnoreCase))
                {
                    return OfMailbox;
                }
            }

            return OfRow;
        }

        private static void Add(List<string> candidates, object value)
        {
            PSObject wrapped = value as PSObject;
            object plain = wrapped == null ? value : wrapped.BaseObject;
            if (plain == null || (plain is IEnumerable && !(plain is string)) || Guid.Empty.Equals(plain))
            {
                return;
            }

            string text = plain as string ?? (string)LanguagePrimitives.ConvertTo(value, typeof(string));
            text = text == null ? "" : text.Trim();
            if (text.Length > 0 && !candidates.Exists(delegate(string known) { return known.Equals(text, StringComparison.OrdinalIgnoreCase); }))
            {
                candidates.Add(text);
            }
        }
    }
}
