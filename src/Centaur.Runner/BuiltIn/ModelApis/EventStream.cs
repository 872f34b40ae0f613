using System.Runtime.CompilerServices;
using System.Text;

namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>Server-sent events: the data of each, whatever their names, until the end or the word <c>[DONE]</c>.</summary>
internal static class EventStream
{
    const int MaxEventLength = 16 << 20;

    public static async IAsyncEnumerable<string> Read(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var data = new StringBuilder();
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                if (data.Length == 0)
                    continue;
                var whole = data.ToString();
                data.Clear();
                if (whole == "[DONE]")
                    yield break;
                yield return whole;
            }
            else if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                if (data.Length > 0)
                    data.Append('\n');
                data.Append(line.AsSpan(line.StartsWith("data: ", StringComparison.Ordinal) ? 6 : 5));
                if (data.Length > MaxEventLength)
                    throw new ModelException("The model's stream held an event without end.");
            }
        }
    }
}
