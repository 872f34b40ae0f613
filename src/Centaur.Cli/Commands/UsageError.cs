using System.CommandLine;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Commands;

/// <summary>Says what is wrong with a command line, and what was probably meant, in three lines instead of a page of help.</summary>
internal static class UsageError
{
    const int FarthestTypo = 2;

    public static CliError Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Select(each => each.Name).Concat(command.Options.Select(each => each.Name)).ToList();
        var strange = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        var nearest = strange is null ? null : NearestName.Of(strange, known);
        return new CliError(
            ExitCode.Usage,
            string.Join(' ', parsed.Errors.Select(error => error.Message).Distinct()),
            nearest is not null && NearestName.Distance(strange!, nearest) <= FarthestTypo ? $"Did you mean {nearest}?" : null,
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
