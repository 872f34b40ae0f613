using System.Collections;

namespace Centaur.Proxy.Configuration;

/// <summary>The environment, read once at the edge.</summary>
static class EnvironmentVariables
{
    public static IReadOnlyDictionary<string, string> Read()
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
            variables[(string)entry.Key] = (string?)entry.Value ?? "";
        return variables;
    }
}
