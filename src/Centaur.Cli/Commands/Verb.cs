using System.CommandLine;

namespace Centaur.Cli.Commands;

/// <summary>A command whose help ends with examples, and whose failures become one readable report and an exit code.</summary>
internal sealed class Verb : Command
{
    public Verb(string name, string description, params IReadOnlyList<string> examples)
        : base(name, description) => Examples = examples;

    public IReadOnlyList<string> Examples { get; }

    /// <summary>Said below the examples: what a user must know besides the options.</summary>
    public string? Remark { get; init; }

    /// <summary>True where a variable that nobody reads is no reason to refuse.</summary>
    public bool WorksAnywhere { get; init; }

    public Verb With(params IReadOnlyList<Symbol> parts)
    {
        foreach (var part in parts)
        {
            switch (part)
            {
                case Command command:
                    Add(command);
                    break;
                case Option option:
                    Add(option);
                    break;
                case Argument argument:
                    Add(argument);
                    break;
            }
        }

        return this;
    }

    public Verb Does(Func<ParseResult, CancellationToken, Task<int>> action)
    {
        SetAction(action);
        return this;
    }
}
