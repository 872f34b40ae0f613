using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources;

/// <summary>
/// A value, or why there is none. <see cref="Code"/> is one of <see cref="BrokerFailures"/>. The message may reach the agent whose request wants the value: it holds no
/// value, and does not say where in a source the value is kept, which the broker's log says beside it.
/// </summary>
sealed record SourceAnswer(byte[]? Value, string Code, string Message)
{
    public static SourceAnswer Of(byte[] value) => new(value, "", "");

    public static SourceAnswer Failed(string code, string message) => new(null, code, message);

    public static SourceAnswer Missing(string message) => Failed(BrokerFailures.NotFound, message);

    public static SourceAnswer Forbidden(string message) => Failed(BrokerFailures.Forbidden, message);

    public static SourceAnswer Unavailable(string message) => Failed(BrokerFailures.SourceUnavailable, message);

    /// <summary>What no reference of this source can be; whoever wrote it was told a right one.</summary>
    public static SourceAnswer BadReference(string source) => Missing($"its reference is none of {source}");

    /// <summary>The source does not take the broker's own token.</summary>
    public static SourceAnswer BrokerRefused(string message) => Failed(BrokerFailures.BrokerRefused, message);

    /// <summary>The source said nothing about the value: an older one may serve on for a while, and another try may find it.</summary>
    public bool SaysNothing => Code is BrokerFailures.SourceUnavailable or BrokerFailures.BrokerRefused;

    public override string ToString() => Value is null ? $"{Code}: {Message}" : "a value";
}
