namespace Centaur.Runner.Native;

/// <summary>A process to start. What is not listed in <see cref="Descriptors"/> is closed in it, except the standard streams.</summary>
internal sealed record SpawnRequest
{
    /// <summary>The program's absolute path, then its arguments.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment: nothing is inherited.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string? WorkingFolder { get; init; }

    /// <summary>What the process finds under which number. 0 is <c>/dev/null</c>, 1 and 2 are the parent's where they are not listed.</summary>
    public IReadOnlyList<DescriptorMove> Descriptors { get; init; } = [];
}

/// <param name="Source">The descriptor here.</param>
/// <param name="Target">Its number in the new process.</param>
internal sealed record DescriptorMove(int Source, int Target);
