using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Limits;

/// <summary>Control groups, version 2: one hierarchy for all controllers, which every group above hands down.</summary>
internal sealed class UnifiedResourceGroup : IResourceGroup
{
    const double PeriodMicroseconds = 100_000;

    readonly string folder;

    public UnifiedResourceGroup(string root, string sandboxId, SandboxLimits limits)
    {
        folder = $"{root}/centaur/{sandboxId}";
        Directory.CreateDirectory(folder);
        foreach (var above in (string[])[root, $"{root}/centaur"])
            ResourceGroups.Put($"{above}/cgroup.subtree_control", "+memory +pids +cpu");
        ResourceGroups.Put($"{folder}/memory.max", $"{limits.MemoryBytes}");
        if (File.Exists($"{folder}/memory.swap.max"))
            ResourceGroups.Put($"{folder}/memory.swap.max", "0");
        ResourceGroups.Put($"{folder}/pids.max", $"{limits.Processes}");
        ResourceGroups.Put($"{folder}/cpu.max", $"{ResourceGroups.Number(limits.Cpus * PeriodMicroseconds)} {ResourceGroups.Number(PeriodMicroseconds)}");
        ProcessFiles = [$"{folder}/cgroup.procs"];
    }

    public IReadOnlyList<string> ProcessFiles { get; }

    public long OutOfMemoryKills() => ResourceGroups.Counter($"{folder}/memory.events", "oom_kill");

    public Task Remove(CancellationToken cancellationToken) => ResourceGroups.RemoveFolder(folder, cancellationToken);
}
