using Centaur.Proxy.Postgres.Sql;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres;

/// <summary>
/// What of a client's startup packet goes to the upstream. Any setting can stand there, also in <c>options</c> as command-line switches (libpq documentation, "options"); what a
/// session may not SET it may not begin with either.
/// </summary>
static class StartupParameters
{
    public static IReadOnlyDictionary<string, string> Vet(StartupPacket packet, SessionRules rules)
    {
        var vetted = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in packet.Parameters)
        {
            if (name is "user" or "database" || name.StartsWith("_pq_.", StringComparison.Ordinal))
                continue;
            if (name == "replication")
                RefuseReplication(value);
            else if (name == "options")
                ReadOptions(value, rules, vetted);
            else
                Add(name, value, rules, vetted);
        }

        return vetted;
    }

    static void Add(string name, string value, SessionRules rules, Dictionary<string, string> vetted)
    {
        var reason = rules.Change(name);
        if (reason == RefusalReason.StringSyntax && value == "on")
            return;
        if (reason != RefusalReason.None)
        {
            var (state, message, _) = RefusalTexts.Of(reason);
            throw new PostgresFault(state, message, "startup_parameter_refused") { Hint = "Remove it from the connection's parameters and from PGOPTIONS." };
        }

        vetted[name] = value;
    }

    static void ReadOptions(string text, SessionRules rules, Dictionary<string, string> vetted)
    {
        var words = Words(text);
        for (var i = 0; i < words.Count; i++)
        {
            var assignment = words[i] switch
            {
                "-c" when i + 1 < words.Count => words[++i],
                ['-', 'c' or '-', .. { Length: > 0 } rest] => rest,
                _ => "",
            };
            var equals = assignment.IndexOf('=');
            if (equals <= 0)
                throw new PostgresFault(SqlStates.FeatureNotSupported, "A switch in \"options\" is not passed on.", "startup_parameter_refused") { Hint = "Use -c name=value." };
            Add(assignment[..equals].Replace('-', '_'), assignment[(equals + 1)..], rules, vetted);
        }
    }

    /// <summary>Words between spaces; a backslash takes the next letter as it is (postinit.c, pg_split_opts).</summary>
    static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new System.Text.StringBuilder();
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || char.IsWhiteSpace(text[i]))
            {
                if (word.Length > 0)
                    words.Add(word.ToString());
                word.Clear();
                continue;
            }

            if (text[i] == '\\' && i + 1 < text.Length)
                i++;
            word.Append(text[i]);
        }

        return words;
    }

    static void RefuseReplication(string value)
    {
        if (value is not ("false" or "off" or "no" or "0"))
            throw new PostgresFault(SqlStates.FeatureNotSupported, "Replication connections are not passed on.", "startup_parameter_refused") { Hint = "Use an ordinary connection." };
    }
}
