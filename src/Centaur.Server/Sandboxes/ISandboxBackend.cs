namespace Centaur.Server.Sandboxes;

/// <summary>Where sandboxes run. Everything above it speaks to a keeper's attach socket and knows nothing of processes or pods.</summary>
internal interface ISandboxBackend
{
    /// <summary>
    /// Connects to the sandbox's keeper. A sandbox that is starting gets its keeper when it has none; of one that had its identity and has lost its keeper,
    /// the journal is offered for reading (phase dead).
    /// </summary>
    /// <exception cref="SandboxStartException">It does not start; the message is for people.</exception>
    Task<Stream> Connect(SandboxRow sandbox, CancellationToken cancellationToken);

    /// <summary>Removes what nobody reads any more of a dead sandbox. The thread's folder and the audit stay.</summary>
    Task Remove(SandboxRow sandbox, CancellationToken cancellationToken);
}

/// <summary>A sandbox could not be started; the message says why and what to do.</summary>
internal sealed class SandboxStartException(string message, Exception? inner = null) : Exception(message, inner);
