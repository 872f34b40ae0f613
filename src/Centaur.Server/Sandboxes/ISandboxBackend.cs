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

    /// <summary>The same without ever starting a sandbox: null where there is neither a keeper nor a journal.</summary>
    /// <exception cref="SandboxStartException">Its journal cannot be offered; the message is for people.</exception>
    Task<Stream?> Reach(SandboxRow sandbox, CancellationToken cancellationToken);

    /// <summary>Connects to the sandbox's keeper where one runs, and starts nothing.</summary>
    Task<Stream?> Running(SandboxRow sandbox, CancellationToken cancellationToken);

    /// <summary>Ends the keeper of a sandbox by force, and with it its jail and its proxy: it was told to end and does not answer. Nothing where none runs.</summary>
    Task Kill(SandboxRow sandbox, CancellationToken cancellationToken);

    /// <summary>Removes what nobody reads any more of a dead sandbox. The thread's folder, the audit and the keeper's log stay.</summary>
    Task Remove(SandboxRow sandbox, CancellationToken cancellationToken);

    /// <summary>Removes the rest; an audit that has anything to say stays until whoever stores it elsewhere has all of it.</summary>
    Task Forget(string sandboxId, CancellationToken cancellationToken);

    /// <summary>Removes a folder of a thread or a spare: what the agent had in its home is lost.</summary>
    Task RemoveFolder(string folder, CancellationToken cancellationToken);

    /// <summary>Ids of the sandboxes of which there is more here than what stays of the dead.</summary>
    IReadOnlyList<string> Found();
}

/// <summary>A sandbox could not be started; the message says why and what to do.</summary>
internal sealed class SandboxStartException(string message, Exception? inner = null) : Exception(message, inner);
