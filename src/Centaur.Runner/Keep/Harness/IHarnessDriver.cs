using System.Text.Json;
using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Harness;

/// <summary>
/// Speaks one harness CLI's own protocol on its standard streams, so that the keeper knows only turns and events. One file for each harness.
/// A driver lives as long as one process of its harness; the keeper calls its members one at a time.
/// </summary>
internal interface IHarnessDriver
{
    /// <summary>How to start the process: its arguments, environment and the files that it wants beforehand.</summary>
    HarnessCommand Command(HarnessLaunch launch);

    /// <summary>Called once the process runs: handshake, and start or resume of the harness's own conversation.</summary>
    Task Start(HarnessLaunch launch, IHarnessPipe pipe, CancellationToken cancellationToken);

    /// <summary>Gives the harness a user message, <c>{"role":"user","content":[blocks]}</c>.</summary>
    Task StartTurn(JsonElement message, CancellationToken cancellationToken);

    /// <summary>More input for the running turn. True when the harness takes it into the running step, false when it waits for the next turn.</summary>
    Task<bool> Steer(JsonElement message, CancellationToken cancellationToken);

    /// <summary>Asks the harness to end the running turn. The keeper kills its process group when that takes too long.</summary>
    Task Interrupt(CancellationToken cancellationToken);

    /// <summary>One line of the harness's standard output: a JSON object, within the cap.</summary>
    Task Receive(JsonElement line, CancellationToken cancellationToken);
}

/// <summary>What a driver may do to the outside.</summary>
internal interface IHarnessPipe
{
    /// <summary>Writes one line to the harness's standard input.</summary>
    Task Write(ReadOnlyMemory<byte> json, CancellationToken cancellationToken);

    /// <summary>Makes a frame of this event (a JSON object): journaled, then offered.</summary>
    Task Emit(ReadOnlyMemory<byte> json, CancellationToken cancellationToken);

    /// <summary>The running turn has ended; its terminal event has been emitted.</summary>
    void EndTurn();
}

/// <param name="Arguments">Program and arguments, as the jail sees them.</param>
/// <param name="Environment">Set besides what every process of the jail gets.</param>
/// <param name="Files">Written in the jail, by the jail's user, before the start.</param>
internal sealed record HarnessCommand(
    IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, IReadOnlyList<HarnessFile> Files);

/// <param name="Path">Absolute, in the jail.</param>
/// <param name="Content">The whole text.</param>
internal sealed record HarnessFile(string Path, string Content);
