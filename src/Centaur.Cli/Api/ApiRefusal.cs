using System.Text.Json;

namespace Centaur.Cli.Api;

/// <summary>What a server refused, in its own words: both error shapes of the contract (§1.0) as sentences, with what a user can do about it.</summary>
internal static class ApiRefusal
{
    const int Longest = 1000;

    public static CliError Of(int status, string body)
    {
        var (said, code) = Understand(body);
        if (said.Length > Longest)
            said = said[..Longest];
        return new CliError(status >= 500 ? ExitCode.Unavailable : ExitCode.Refused, said.Length == 0 ? $"The server answered {status}." : $"The server answered {status}: {said}", remedy: Remedy(status))
        {
            Code = code,
        };
    }

    static (string Said, string? Code) Understand(string text)
    {
        try
        {
            var body = JsonSerializer.Deserialize(text, CliJson.Default.ErrorBody);
            if (body?.Message is { } message)
                return (body.Code is null ? message : $"{message} ({body.Code})", body.Code);
            return (body?.Detail switch
            {
                { ValueKind: JsonValueKind.String } sentence => sentence.GetString()!,
                { ValueKind: JsonValueKind.Array } fields => Sentences(fields) ?? text,
                _ => text,
            }, null);
        }
        catch (JsonException)
        {
            // Not ours: a proxy's page, or nothing. Shown as it is.
            return (text, null);
        }
    }

    /// <summary>A list of fields and what is wrong with each.</summary>
    static string? Sentences(JsonElement fields)
    {
        var problems = JsonSerializer.Deserialize(fields, CliJson.Default.IReadOnlyListFieldProblem)!;
        return problems.Count == 0 || problems.Any(problem => problem.Msg is null) ? null : string.Join(' ', problems.Select(problem => problem.Msg.TrimEnd('.') + "."));
    }

    static string? Remedy(int status) => status switch
    {
        401 => "Set CENTAUR_API_KEY to a key that is not revoked, or unset it to use the first key of this machine.",
        403 => "Use a key with that scope: centaur keys create NAME --scope SCOPE",
        422 => "Correct what is named and try again; --help shows an example.",
        _ => null,
    };
}
