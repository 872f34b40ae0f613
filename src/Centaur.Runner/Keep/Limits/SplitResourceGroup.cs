using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Limits;

/// <summary>Control groups, version 1: one hierarchy for each controller.</summary>
internal sealed class SplitResourceGroup : IResourceGroup
{
    const double PeriodMicroseconds = 100_000;

    readonly string memory;
    readonly string pids;
    readonly string cpu;

    public SplitResourceGroup(string root, string sandboxId, SandboxLimits limits)
    {
        memory = $"{root}/memory/centaur/{sandboxId}";
        pids = $"{root}/pids/centaur/{sandboxId}";
        cpu = $"{root}/cpu/centaur/{sandboxId}";
        foreach (var folder in (string[])[memory, pids, cpu])
            Directory.CreateDirectory(folder);
        ResourceGroups.Put($"{memory}/memory.limit_in_bytes", $"{limits.MemoryBytes}");
        if (File.Exists($"{memory}/memory.memsw.limit_in_bytes"))
            ResourceGroups.Put($"{memory}/memory.memsw.limit_in_bytes", $"{limits.MemoryBytes}");
        ResourceGroups.Put($"{pids}/pids.max", $"{limits.Processes}");
        ResourceGroups.Put($"{cpu}/cpu.cfs_period_us", ResourceGroups.Number(PeriodMicroseconds));
        ResourceGroups.Put($"{cpu}/cpu.cfs_quota_us", ResourceGroups.Number(limits.Cpus * PeriodMicroseconds));
        ProcessFiles = [$"{memory}/cgroup.procs", $"{pids}/cgroup.procs", $"{cpu}/cgroup.procs"];
    }

    public IReadOnlyList<string> ProcessFiles { get; }

    public long OutOfMemoryKills() => ResourceGroups.Counter($"{memory}/memory.oom_control", "oom_kill");

    public async Task Remove(CancellationToken cancellationToken)
    {
        foreach (var folder in (string[])[memory, pids, cpu])
            await ResourceGroups.RemoveFolder(folder, cancellationToken);
    }
}
