using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Centaur.Cli.Commands;

/// <summary>The usual help, and below it what one types.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        usual.MaxWidth = 110;
        var result = usual.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is Verb verb)
        {
            output.WriteLine(verb.Examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in verb.Examples)
                output.WriteLine($"  {example}");
            if (verb.Remark is not null)
                output.WriteLine($"\n{verb.Remark}");
        }

        output.WriteLine($"\n{ExitCode.Legend}");
        return result;
    }
}
