using System;
using System.Collections;
using System.Management.Automation;
using System.Reflection;

namespace UMMailboxPin
{
    /// <summary>
    /// Objects of PowerShell's own assembly, made by the names of their types. What is derived from or called more directly is
    /// declared in powershell/Reference.
    /// </summary>
    internal sealed class Engine
    {
        private const string Namespace = "System.Management.Automation.";
        private readonly Assembly assembly;

        /// <summary>Of the $PSCmdlet given.</summary>
        internal Engine(object cmdlet)
        {
            assembly = cmdlet.GetType().Assembly;
        }

        /// <summary>A type by its name, without the namespace.</summary>
        internal Type Find(string name)
        {
            return assembly.GetType(Namespace + name, true);
        }

        /// <summary>An error record; the recommended action may be null.</summary>
        internal static ErrorRecord ErrorRecord(
            Exception exception, string id, string category, object target, string text, string recommendedAction)
        {
            ErrorRecord record = new ErrorRecord(
                exception, id, (ErrorCategory)Enum.Parse(typeof(ErrorCategory), category), target);
            if (!string.IsNullOrEmpty(recommendedAction))
            {
                record.ErrorDetails = new ErrorDetails(text);
                record.ErrorDetails.RecommendedAction = recommendedAction;
            }

            return record;
        }

        /// <summary>
        /// A table as an object with its members in the order of their names, and a text that has all of them. Anything else stays; an
        /// empty one is null.
        /// </summary>
        internal object Custom(object value)
        {
            object[] list = value as object[];
            if (list != null)
            {
                return Array.ConvertAll(list, Custom);
            }

            Hashtable table = value as Hashtable;
            if (table == null)
            {
                return value;
            }

            if (table.Count == 0)
            {
                return null;
            }

            ArrayList names = new ArrayList(table.Keys);
            names.Sort(StringComparer.OrdinalIgnoreCase);
            Type type = Find("PSObject");
            object made = Activator.CreateInstance(type);
            object properties = type.GetProperty("Properties").GetValue(made, null);
            MethodInfo add = properties.GetType().GetMethod("Add", new Type[] { Find("PSPropertyInfo") });
            foreach (string name in names)
            {
                add.Invoke(properties, new object[] { Activator.CreateInstance(Find("PSNoteProperty"), name, Custom(table[name])) });
            }

            // Of the object itself, and no script: that would belong to one runspace.
            object members = type.GetProperty("Members").GetValue(made, null);
            members.GetType().GetMethod("Add", new Type[] { Find("PSMemberInfo") }).Invoke(
                members, new object[] { Activator.CreateInstance(Find("PSCodeMethod"), "ToString", RecordText.Method) });
            return made;
        }

        /// <summary>Whether a text matches, without regard to case; null: it has no wildcards.</summary>
        internal Func<string, bool> Wildcard(string text)
        {
            Type type = Find("WildcardPattern");
            if (!(bool)type.GetMethod("ContainsWildcardCharacters", new Type[] { typeof(string) }).Invoke(null, new object[] { text }))
            {
                return null;
            }

            Type options = Find("WildcardOptions");
            object pattern = Activator.CreateInstance(type, text, Enum.Parse(options, "IgnoreCase"));
            return (Func<string, bool>)Delegate.CreateDelegate(typeof(Func<string, bool>), pattern, "IsMatch");
        }

        internal static object Get(object target, string property)
        {
            PropertyInfo found = target.GetType().GetProperty(property);
            return found == null ? null : found.GetValue(target, null);
        }
    }
}
