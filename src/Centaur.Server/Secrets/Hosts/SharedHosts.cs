namespace Centaur.Server.Secrets.Hosts;

/// <summary>Names below which anybody may have a host, and hosts at which anybody may leave something: what is let there may be led anywhere. The well-known ones, not all.</summary>
internal static class SharedHosts
{
    /// <summary>Below these, every customer has a name of his own.</summary>
    static readonly string[] Hosting =
    [
        "amazonaws.com", "appspot.com", "azureedge.net", "azurestaticapps.net", "azurewebsites.net", "blob.core.windows.net", "blogspot.com", "cloudfront.net", "cloudfunctions.net",
        "digitaloceanspaces.com", "firebaseapp.com", "fly.dev", "github.io", "gitlab.io", "glitch.me", "googleusercontent.com", "herokuapp.com", "netlify.app", "ngrok-free.app", "ngrok.app",
        "ngrok.dev", "ngrok.io", "ondigitalocean.app", "onrender.com", "pages.dev", "r2.dev", "railway.app", "readthedocs.io", "replit.app", "repl.co", "run.app", "s3.amazonaws.com", "storage.googleapis.com",
        "supabase.co", "surge.sh", "trycloudflare.com", "vercel.app", "web.app", "web.core.windows.net", "wordpress.com", "workers.dev",
    ];

    /// <summary>Registries sell names below these of every country.</summary>
    static readonly string[] SecondLevels = ["ac", "co", "com", "edu", "go", "gov", "gob", "ne", "net", "nom", "or", "org"];

    /// <summary>Anybody with an account, or with none, publishes or receives here.</summary>
    static readonly string[] Publishing =
    [
        "0x0.st", "api.github.com", "api.telegram.org", "bitbucket.org", "codeberg.org", "discord.com", "docs.google.com", "drive.google.com", "dropbox.com", "file.io", "gist.github.com", "github.com", "gitlab.com",
        "hooks.slack.com", "huggingface.co", "pastebin.com", "paste.ee", "requestbin.com", "s3.amazonaws.com", "sheets.googleapis.com", "storage.googleapis.com",
        "transfer.sh", "uploads.github.com", "webhook.site", "www.googleapis.com",
    ];

    /// <summary>Why a pattern covers hosts that anybody can have; null where it does not.</summary>
    public static string? Anybody(string pattern)
    {
        if (pattern == "*")
            return "every host";
        if (!pattern.StartsWith("*.", StringComparison.Ordinal))
            return null;
        var name = pattern[2..];
        if (IsPublicSuffix(name))
            return $"every name below {name}, which anybody can register";
        return Array.Find(Hosting, suffix => suffix == name || suffix.EndsWith('.' + name, StringComparison.Ordinal)) is { } hosting ? $"every name below {hosting}, where anybody can have one" : null;
    }

    /// <summary>The first host that a pattern covers at which anybody can publish; null where there is none.</summary>
    public static string? Outlet(string pattern) => Array.Find(Publishing, host => Covers(pattern, host));

    /// <summary>Whether a name, or <c>*.name</c>, covers a host.</summary>
    public static bool Covers(string pattern, string host) =>
        pattern == "*" || pattern == host || (pattern.StartsWith("*.", StringComparison.Ordinal) && (host == pattern[2..] || host.EndsWith(pattern[1..], StringComparison.Ordinal)));

    static bool IsPublicSuffix(string name)
    {
        var labels = name.Split('.');
        return labels.Length == 1 || (labels is [var second, { Length: 2 }] && SecondLevels.Contains(second));
    }
}
