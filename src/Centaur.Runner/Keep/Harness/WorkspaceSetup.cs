using Centaur.Protocol.Sandbox;
using Centaur.Runner.Keep.Jail;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep.Harness;

/// <summary>
/// The steps that prepare a workspace before its harness starts for the first time, run in the jail by the jail's user. A step that was done is not done again
/// in this sandbox; one that failed is tried again by the next turn.
/// </summary>
internal sealed class WorkspaceSetup(IReadOnlyList<SetupCommand> commands)
{
    int done;

    /// <returns>Null when everything is prepared, else a sentence for people.</returns>
    public async Task<string?> Run(HarnessSurroundings around, CancellationToken cancellationToken)
    {
        for (; done < commands.Count; done++)
        {
            if (await Run(commands[done], around, cancellationToken) is { } failure)
                return failure;
        }
        return null;
    }

    static async Task<string?> Run(SetupCommand command, HarnessSurroundings around, CancellationToken cancellationToken)
    {
        var (output, theirs) = SocketPair.Stream();
        using var ours = output;
        var words = new LastWords(ours, around.LogPath);
        JailProgram program;
        using (theirs)
        {
            program = await around.Jail.Execute(
                command.Arguments, JailEnvironment.For(around.Spec.Toolchain, around.Identity), [theirs, theirs, theirs], cancellationToken);
        }

        var listening = words.Listen(cancellationToken);
        try
        {
            await Task.WhenAny(program.Exited, program.Jail.Exited).WaitAsync(TimeSpan.FromSeconds(command.TimeoutSeconds), around.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            program.Signal(Libc.SigKill);
            return $"The step \"{command.Description}\" did not end within {command.TimeoutSeconds} s. {words.Quote}";
        }

        if (!program.Exited.IsCompletedSuccessfully)
            return $"The sandbox ended during the step \"{command.Description}\".";
        var status = await program.Exited;
        if (status.ExitCode == 0)
            return null;
        await Task.WhenAny(listening, Task.Delay(TimeSpan.FromSeconds(1), around.Time, cancellationToken));
        return $"The step \"{command.Description}\" failed with code {status.ExitCode}: {words.Quote}";
    }
}
