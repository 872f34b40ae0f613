using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources;

/// <summary>Asks the source of the named type, and takes the member of its value that was asked for.</summary>
/// <param name="sources">The known kinds, by the words of <see cref="SecretSourceTypes"/>.</param>
sealed class SourceReader(IReadOnlyDictionary<string, IValueSource> sources)
{
    public const int LongestValue = 256 * 1024;

    public async Task<SourceAnswer> Read(string name, SecretSource source, CancellationToken cancellationToken)
    {
        if (!sources.TryGetValue(source.Type, out var asked))
            return SourceAnswer.Missing($"there is no source of type \"{source.Type}\"");
        var answer = await asked.Read(source.Reference ?? name, cancellationToken);
        if (answer.Value is { } whole && source.JsonKey is { } key)
            answer = JsonMember.Of(whole, key);
        return answer.Value switch
        {
            { Length: 0 } => SourceAnswer.Missing("the value is empty"),
            { Length: > LongestValue } => SourceAnswer.Forbidden($"the value is longer than {LongestValue} bytes"),
            _ => answer,
        };
    }
}
