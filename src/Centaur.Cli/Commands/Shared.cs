using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Centaur.Cli.Commands;

/// <summary>Options that mean the same wherever they stand, and what is said of values that make no sense.</summary>
internal static class Shared
{
    public static Option<bool> Json(string what = "Print JSON instead of text.") => new("--json") { Description = what };

    public static Option<bool> Quiet() => new("--quiet", "-q") { Description = "No progress on standard error." };

    /// <summary>A whole number of a range.</summary>
    public static Option<long> Number(string name, string helpName, string what, long usual, long least, long most, params string[] aliases) => new(name, aliases)
    {
        Description = what, HelpName = helpName, DefaultValueFactory = _ => usual, CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
                return number;
            result.AddError(
                most == long.MaxValue
                    ? string.Create(CultureInfo.InvariantCulture, $"{name} is \"{text}\"; it must be a whole number from {least} on.")
                    : string.Create(CultureInfo.InvariantCulture, $"{name} is \"{text}\"; it must be a whole number from {least} to {most}."));
            return usual;
        },
    };

    public static Option<string?> NotEmpty(this Option<string?> option)
    {
        option.Validators.Add(result => MustHaveText(result, option.Name, result.Tokens));
        return option;
    }

    public static Argument<string> NotEmpty(this Argument<string> argument)
    {
        argument.Validators.Add(result => MustHaveText(result, $"<{argument.Name}>", result.Tokens));
        return argument;
    }

    static void MustHaveText(SymbolResult result, string name, IReadOnlyList<Token> given)
    {
        if (given.Any(token => string.IsNullOrWhiteSpace(token.Value)))
            result.AddError($"{name} is empty.");
    }
}
