using System.Text.Json;

namespace Centaur.ProxyConformance.Targets;

/// <summary>A proxy that listens.</summary>
interface IRunningProxy : IAsyncDisposable
{
    /// <summary>The process, which must be the same until the end.</summary>
    int Id { get; }

    bool Lives { get; }

    /// <summary>Whose certificates a client behind it trusts.</summary>
    string TrustedPem { get; }

    /// <summary>What it said on its standard error.</summary>
    string Log { get; }

    /// <summary>All records so far; empty for a product without an audit, whose expectations are then not looked at.</summary>
    IReadOnlyList<JsonElement> Audit();

    bool HasAudit { get; }

    /// <summary>The header in which it says why it refused; null for a product that does not.</summary>
    string? ReasonHeader { get; }

    /// <param name="listener"><c>tunnel</c>, <c>http</c>, <c>https</c>, <c>management</c>, <c>metrics</c> or <c>postgres</c>.</param>
    int Port(string listener);

    /// <summary>Writes the configuration anew, or a file beside it.</summary>
    /// <param name="name">The file's name; <c>config</c> for the configuration, in the suite's words.</param>
    /// <param name="text">What it holds from now on.</param>
    Task Write(string name, string text);
}
