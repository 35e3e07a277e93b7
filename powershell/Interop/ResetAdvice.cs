using System.Collections;
using System.Collections.Generic;

namespace UMMailboxPin
{
    /// <summary>What the parameters of Set-UMMailboxPIN themselves have that surprises.</summary>
    internal static class ResetAdvice
    {
        internal const string NoDomainControllers = "The embedded directory has no domain controllers: -DomainController is ignored.";

        /// <summary>Warns where the request names a domain controller and the directory has none.</summary>
        internal static void AboutDomainController(CommandRuntime runtime, SessionCache cache, IDictionary request)
        {
            if (request.Contains("domainController") && cache.Directory == "embedded")
            {
                runtime.WriteWarning(NoDomainControllers);
            }
        }

        internal static string[] About(IDictionary request, bool pinGiven, bool sendEmail, bool passThru, string directory)
        {
            List<string> advice = new List<string>();
            if (!sendEmail && request.Contains("notifyEmail"))
            {
                advice.Add("-NotifyEmail has no effect together with -SendEmail $false: nothing is mailed.");
            }

            if (!sendEmail && !pinGiven && !passThru && !request.Contains("keepPin"))
            {
                advice.Add("With -SendEmail $false and without -Pin a PIN is generated that nobody gets to know. "
                    + "Use -PassThru to receive it, or -KeepPin to lock or unlock without a new PIN.");
            }

            if (request.Contains("domainController") && directory == "embedded")
            {
                advice.Add(NoDomainControllers);
            }

            return advice.ToArray();
        }
    }
}
