using System.CommandLine;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Commands;

/// <summary>Says what is wrong with a command line, and what was probably meant, in three lines instead of a page of help.</summary>
internal static class UsageError
{
    /// <summary>Said of every unknown verb as well, where it explains nothing.</summary>
    const string NoVerb = "Required command was not provided.";

    public static CliError Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Select(each => each.Name).Concat(command.Options.Select(each => each.Name)).ToList();
        var strange = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        var nearest = strange is null ? null : NearestName.Near(strange, known);
        var errors = parsed.Errors.Select(error => error.Message).Distinct().ToList();
        if (errors.Count > 1)
            errors.Remove(NoVerb);
        return new CliError(
            ExitCode.Usage,
            string.Join(' ', errors),
            nearest is null ? null : $"Did you mean {nearest}?",
            $"{PathOf(parsed)} --help");
    }

    static string PathOf(ParseResult parsed)
    {
        var names = new List<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
            names.Insert(0, result.Command.Name);
        return string.Join(' ', names);
    }
}
