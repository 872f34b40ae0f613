namespace Centaur.ProxyConformance.Data;

/// <summary>
/// What the operator of the proxy wants, in the words of iron-proxy's file. Where names lead to, certificates, listeners and the audit are the runner's to add:
/// every product says these in its own way.
/// </summary>
sealed record SuiteConfig
{
    /// <summary>The file; <c>${…}</c> stands for what the scene provides.</summary>
    public string File { get; set; } = "";

    public Dictionary<string, string> Environment { get; set; } = [];

    /// <summary>Files beside it.</summary>
    public Dictionary<string, string> Files { get; set; } = [];

    /// <summary>Names of the credentials that the hosts of the scene may receive; of all that <c>File</c> configures where none is named.</summary>
    public List<string> Spends { get; set; } = [];

    /// <summary>Values of <see cref="Environment"/> that are no secrets, by their names. All others may be seen by origins alone.</summary>
    public List<string> Public { get; set; } = [];

    /// <summary>What else must run: <c>issuer</c>, <c>vault</c>, <c>postgres</c>.</summary>
    public List<string> Needs { get; set; } = [];

    /// <summary>Seconds that a minted token is good for.</summary>
    public int TokenLifetime { get; set; } = 3600;

    /// <summary>Role, user and tenant of every session with the database, whatever was said in it.</summary>
    public string? Identity { get; set; }

    public IEnumerable<string> Secrets => Environment.Where(pair => !Public.Contains(pair.Key)).Select(pair => pair.Value).Where(value => value.Length > 7);
}
