using System.CommandLine;
using System.CommandLine.Parsing;
using Centaur.Cli.Ask;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur ask</c>.</summary>
internal static class AskVerb
{
    public static Verb Build(CliContext context)
    {
        var prompt = new Argument<string[]>("prompt") { Description = "What the agent should do. Without it, standard input is read.", Arity = ArgumentArity.ZeroOrMore };
        var repo = new Option<string?>("--repo") { Description = "A git repository on this machine; the agent of a new thread works on a clone of it.", HelpName = "path" }.NotEmpty();
        var thread = new Option<string?>("--thread") { Description = "Go on with this thread instead of a new one.", HelpName = "key" }.NotEmpty();
        var harness = new Option<string?>("--harness") { Description = "Which agent works: codex or built-in; without it the thread's own, or harness.default of centaur.yaml.", HelpName = "name" }.NotEmpty();
        var id = new Option<string?>("--id") { Description = "Name this question: asked again with the same id it is the same execution.", HelpName = "id" }.NotEmpty();
        var json = Shared.Json("Print one JSON object: thread_key, execution_id, status, result_text, harness, harness_version, duration_ms, …");
        var quiet = Shared.Quiet();
        return new Verb(
            "ask", "Ask the agent; its answer alone goes to standard output.",
            "centaur ask \"Reply with exactly PONG.\"", "centaur ask --repo . \"Run: git log --oneline -3\"", "git diff | centaur ask --thread review --json")
        {
            Remark = "Brings Centaur up when it is not. Progress goes to standard error. Ctrl-C stops the agent. Where no model key is set, a scripted demo model answers.",
        }.With(prompt, repo, thread, harness, id, json, quiet).Does(async (parsed, cancellationToken) =>
        {
            MustBeWords(parsed, parsed.GetValue(prompt) ?? []);
            var words = string.Join(' ', parsed.GetValue(prompt) ?? []);
            if (words.Length == 0 && !context.Terminal.InputIsTerminal)
                words = await context.Terminal.Input.ReadToEndAsync(cancellationToken);
            if (string.IsNullOrWhiteSpace(words))
                throw new CliError(ExitCode.Usage, "There is no question.", remedy: "centaur ask \"Reply with exactly PONG.\"");
            var request = new AskRequest
            {
                Prompt = words,
                Repository = parsed.GetValue(repo),
                ThreadKey = parsed.GetValue(thread),
                Harness = parsed.GetValue(harness),
                Id = parsed.GetValue(id),
                Json = parsed.GetValue(json),
                Quiet = parsed.GetValue(quiet),
            };
            return await new AskTurn(context, request).Run(cancellationToken);
        });
    }

    /// <summary>A mistyped option would otherwise become part of the question.</summary>
    static void MustBeWords(ParseResult parsed, IReadOnlyList<string> words)
    {
        if (words.FirstOrDefault(word => word.StartsWith("--", StringComparison.Ordinal)) is not { } strange || parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash))
            return;
        var nearest = NearestName.Near(strange, parsed.CommandResult.Command.Options.Select(option => option.Name));
        throw new CliError(ExitCode.Usage, $"ask has no option {strange}.", nearest is null ? null : $"Did you mean {nearest}?", "Where it belongs to the question, write: centaur ask -- " + strange);
    }
}
