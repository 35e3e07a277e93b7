using System;
using System.Collections;
using System.IO;
using System.Text;

namespace UMMailboxPin
{
    /// <summary>Where the configuration file and the data lie.</summary>
    /// <remarks>
    /// Looked up here and not in the library, which on Unix does not see what a running PowerShell sets in $env: or with
    /// Set-Location; looked up at every call, so that both take effect at once.
    /// </remarks>
    public sealed class ConfigLocator
    {
        private ConfigLocator()
        {
        }

        /// <summary>The configuration file, or null: the defaults hold.</summary>
        public string ConfigFile { get; private set; }

        /// <summary>The folder of the data.</summary>
        public string DataDirectory { get; private set; }

        /// <summary>The stores that the search order knows, whether they exist or not: named where the configured one does not.</summary>
        public string[] OtherStores { get; private set; }

        /// <summary>UMPIN_CONFIG names a file that does not exist.</summary>
        public bool ConfigMissing { get; private set; }

        /// <summary>The environment variables that begin with UMPIN_; one may hold the password of the mail relay.</summary>
        public Hashtable Variables { get; private set; }

        /// <summary>
        /// Changes when another file is named, the file is written to or a variable is changed. Holds their values: never
        /// shown.
        /// </summary>
        public string Key { get; private set; }

        /// <summary>Looks; relative paths count from the folder given.</summary>
        public static ConfigLocator Find(string currentFolder)
        {
            ConfigLocator found = new ConfigLocator();
            string home = Variable("UMPIN_HOME");
            string config = Variable("UMPIN_CONFIG");
            if (home != null)
            {
                found.DataDirectory = Full(home, currentFolder);
            }

            if (config != null)
            {
                found.ConfigFile = Full(config, currentFolder);
                found.ConfigMissing = !File.Exists(found.ConfigFile);
            }
            else if (home != null)
            {
                found.ConfigFile = Existing(Path.Combine(found.DataDirectory, "umpin.json"));
            }

            if (Environment.OSVersion.Platform == PlatformID.Win32NT)
            {
                string machine = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "umpin");
                found.Default(
                    Path.Combine(machine, "umpin.json"),
                    Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "umpin", "umpin.json"),
                    machine,
                    Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "umpin"));
            }
            else
            {
                found.Default(
                    "/etc/umpin/umpin.json",
                    Xdg("XDG_CONFIG_HOME", ".config", "umpin/umpin.json"),
                    "/var/lib/umpin",
                    Xdg("XDG_DATA_HOME", ".local/share", "umpin"));
            }

            found.Variables = OwnVariables();
            found.Key = found.DataDirectory + "\n" + found.ConfigFile + "\n" + Stamp(found.ConfigFile) + Joined(found.Variables);
            return found;
        }

        private void Default(string machineConfig, string userConfig, string machineData, string userData)
        {
            if (ConfigFile == null && DataDirectory == null)
            {
                ConfigFile = Existing(machineConfig) ?? Existing(userConfig);
            }

            OtherStores = userData == null
                ? new string[] { Path.Combine(machineData, "directory.db") }
                : new string[] { Path.Combine(machineData, "directory.db"), Path.Combine(userData, "directory.db") };
            if (DataDirectory == null)
            {
                // Several administrators and the telephone system share the machine's store; it comes before the user's own.
                bool machine = userData == null || File.Exists(Path.Combine(machineData, "directory.db"));
                DataDirectory = machine ? machineData : userData;
            }
        }

        private static string Variable(string name)
        {
            string value = Environment.GetEnvironmentVariable(name);
            return string.IsNullOrEmpty(value) ? null : value;
        }

        private static Hashtable OwnVariables()
        {
            // Windows does not tell upper from lower case; the library does.
            bool windows = Environment.OSVersion.Platform == PlatformID.Win32NT;
            Hashtable own = new Hashtable();
            foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            {
                string name = windows ? ((string)variable.Key).ToUpperInvariant() : (string)variable.Key;
                if (name.StartsWith("UMPIN_", StringComparison.Ordinal))
                {
                    own[name] = (string)variable.Value;
                }
            }

            return own;
        }

        private static string Joined(Hashtable variables)
        {
            string[] names = new string[variables.Count];
            variables.Keys.CopyTo(names, 0);
            Array.Sort(names, StringComparer.Ordinal);
            StringBuilder joined = new StringBuilder();
            foreach (string name in names)
            {
                joined.Append('\0').Append(name).Append('=').Append((string)variables[name]);
            }

            return joined.ToString();
        }

        private static string Existing(string path)
        {
            return path != null && File.Exists(path) ? path : null;
        }

        private static string Full(string path, string currentFolder)
        {
            if (path == "~" || path.StartsWith("~/", StringComparison.Ordinal) || path.StartsWith("~\\", StringComparison.Ordinal))
            {
                path = Path.Combine(UserHome() ?? "", path.Substring(1).TrimStart('\\', '/'));
            }

            return Path.GetFullPath(Path.Combine(currentFolder, path));
        }

        private static string UserHome()
        {
            string home = Variable("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return string.IsNullOrEmpty(home) ? null : home;
        }

        // The XDG rules: a relative value is invalid and ignored.
        private static string Xdg(string variable, string standard, string rest)
        {
            string value = Variable(variable);
            if (value != null && value.StartsWith("/", StringComparison.Ordinal))
            {
                return Path.Combine(value, rest);
            }

            string home = UserHome();
            return home == null ? null : Path.Combine(home, standard, rest);
        }

        private static string Stamp(string path)
        {
            if (path == null)
            {
                return "";
            }

            FileInfo file = new FileInfo(path);
            return file.LastWriteTimeUtc.Ticks + "/" + (file.Exists ? file.Length : 0);
        }
    }
}
