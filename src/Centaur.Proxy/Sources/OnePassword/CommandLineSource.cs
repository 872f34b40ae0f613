using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources.OnePassword;

/// <summary>
/// 1Password's command line: <c>op read --no-newline op://…</c> (https://developer.1password.com/docs/cli/reference/commands/read/), with the token of a service
/// account in its environment alone. It ends with 1 whatever went wrong, so its words tell what did; they are looked at and never repeated.
/// </summary>
/// <param name="program">The program's path, or its name on the path.</param>
/// <param name="path">The variable <c>PATH</c> that it is found and run with.</param>
/// <param name="token">The token of the service account.</param>
/// <param name="patience">How long it may run; null for twenty seconds.</param>
sealed class CommandLineSource(string program, string path, SourceToken token, TimeSpan? patience = null) : IValueSource
{
    static readonly string[] Missing =
        ["isn't a vault", "isn't an item", "isn't a field", "isn't a section", "could not find item", "could not find field", "does not have a field", "no item matched", "no such item"];

    static readonly string[] TokenRefused =
        ["(401)", "unauthorized", "authentication required", "not currently signed in", "decodesacredentials", "failed to parsetoken", "service account deleted", "token has expired"];

    readonly TimeSpan patience = patience ?? TimeSpan.FromSeconds(20);

    public async Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken)
    {
        if (OnePasswordReference.Parse(reference) is not { } place)
            return SourceAnswer.BadReference("1Password");
        using var home = new ShortLivedFolder("centaur-op-");
        var run = await BoundedProcess.Run(program, ["read", "--no-newline", place.ToString()], Environment(home.Path), patience, cancellationToken);
        return run switch
        {
            { Problem: { } problem } => SourceAnswer.Unavailable($"1Password's command line {problem}"),
            { ExitCode: 0 } => SourceAnswer.Of(run.Output),
            // It quotes the reference, whose names could be words that we look for.
            _ => Failure(run.ExitCode, run.Errors.Replace(place.ToString(), "", StringComparison.Ordinal)),
        };
    }

    Dictionary<string, string> Environment(string home) => new(StringComparer.Ordinal)
    {
        [SourceVariables.OnePasswordToken] = token.Current().ForHeader(),
        ["HOME"] = home,
        ["XDG_CONFIG_HOME"] = Path.Combine(home, ".config"),
        ["PATH"] = path,
        ["OP_CACHE"] = "false",
        ["LC_ALL"] = "C",
    };

    static SourceAnswer Failure(int exitCode, string words)
    {
        // What is missing is named, and its name may be any word.
        if (Says(words, Missing))
            return SourceAnswer.Missing("1Password shows the broker nothing there");
        return Says(words, TokenRefused)
            ? SourceAnswer.BrokerRefused("1Password refused the token of the broker's service account. The secret itself may be good; give the broker another token")
            : SourceAnswer.Unavailable($"1Password's command line failed (exit code {exitCode}); op read, run by hand, shows why");
    }

    static bool Says(string words, IEnumerable<string> signs) => signs.Any(sign => words.Contains(sign, StringComparison.OrdinalIgnoreCase));
}
