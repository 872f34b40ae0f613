using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Commands;

/// <summary>The whole command line: a table of contents of its verbs, and the one place where failures become exit codes.</summary>
internal static class CentaurCommand
{
    public static Verb Build(CliContext context)
    {
        var help = new HelpOption { Recursive = true };
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return new Verb(
            "centaur", "Centaur: one shared agent for your team, each conversation in a jail of its own.", "centaur ask \"Reply with exactly PONG.\"")
        .With(
            UpVerbs.Up(context),
            UpVerbs.Down(context),
            StatusVerb.Build(context),
            AskVerb.Build(context),
            ThreadVerbs.Build(context),
            EgressVerbs.Build(context),
            LogsVerb.Build(context),
            SecretVerbs.Build(context),
            KeyVerbs.Build(context),
            DoctorVerb.Build(context),
            TestVerb.Build(context),
            BenchVerb.Build(context),
            help,
            new VersionOption());
    }

    public static async Task<int> Run(IReadOnlyList<string> arguments, CliContext context)
    {
        using var interruption = new Interruption(context.Time);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Take);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Take);
        return await Run(arguments, context with { Interruption = interruption }, interruption.Token);

        void Take(PosixSignalContext signal) => signal.Cancel = interruption.Signal();
    }

    public static async Task<int> Run(IReadOnlyList<string> arguments, CliContext context, CancellationToken cancellationToken)
    {
        try
        {
            // A prompt may begin with @; it is never a file of arguments.
            var words = arguments.Count == 0 ? ["--help"] : arguments;
            var parsed = Build(context).Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
            // Help asks for no arguments, and explains no verb that there is not.
            if (parsed.Errors.Count > 0 && (parsed.Action is not HelpWithExamples || parsed.UnmatchedTokens.Count > 0))
                throw UsageError.Of(parsed);
            if (KnownVariables.FirstUnknown(context.Variables.Keys) is { } unknown && parsed.CommandResult.Command is not Verb { WorksAnywhere: true })
                throw new CliError(ExitCode.Prerequisite, unknown.ToString(), "A setting that nobody reads does nothing, silently.", $"unset {unknown.Name}");

            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = context.Terminal.Out,
                Error = context.Terminal.Error,
            };
            return await parsed.InvokeAsync(configuration, cancellationToken);
        }
        catch (CliError failure)
        {
            context.Terminal.Report(failure);
            return failure.ExitCode;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            context.Terminal.Note("Interrupted.");
            return ExitCode.Interrupted;
        }
        catch (Exception mistake)
        {
            context.Terminal.Report(new CliError(
                ExitCode.Bug, $"Something went wrong that should not: {mistake.GetType().Name}: {mistake.Message}", "This is a mistake in Centaur.",
                "Please report it with the command that you ran; centaur doctor prints what else helps."));
            return ExitCode.Bug;
        }
    }
}
