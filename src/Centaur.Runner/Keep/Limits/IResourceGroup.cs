namespace Centaur.Runner.Keep.Limits;

/// <summary>What the kernel lets one jail use, whichever version of control groups it has.</summary>
internal interface IResourceGroup
{
    /// <summary>Files into which a process writes its id to be counted here, it and all that it starts.</summary>
    IReadOnlyList<string> ProcessFiles { get; }

    /// <summary>How many processes the kernel has killed here because memory ran out.</summary>
    long OutOfMemoryKills();

    /// <summary>Removes the group once its processes are gone.</summary>
    Task Remove(CancellationToken cancellationToken);
}
