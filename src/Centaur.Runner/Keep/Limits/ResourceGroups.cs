using System.Globalization;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Native;

namespace Centaur.Runner.Keep.Limits;

/// <summary>Chooses how a jail is limited on this machine.</summary>
internal static class ResourceGroups
{
    const string Root = "/sys/fs/cgroup";

    /// <summary>The controllers stand in the unified hierarchy or in the older ones; an ordinary user may make groups in neither.</summary>
    public static IResourceGroup Make(string sandboxId, SandboxLimits limits)
    {
        if (Libc.geteuid() != 0)
            return new NoResourceGroup();
        if (File.Exists($"{Root}/cgroup.controllers"))
            return new UnifiedResourceGroup(Root, sandboxId, limits);
        return Directory.Exists($"{Root}/memory") ? new SplitResourceGroup(Root, sandboxId, limits) : new NoResourceGroup();
    }

    /// <summary>Removes what a keeper that was killed left behind.</summary>
    public static async Task RemoveLeftBehind(string sandboxId, CancellationToken cancellationToken)
    {
        foreach (var above in (string[])[$"{Root}/memory", $"{Root}/pids", $"{Root}/cpu", Root])
            await RemoveFolder($"{above}/centaur/{sandboxId}", cancellationToken);
    }

    internal static void Put(string file, string value) => File.WriteAllText(file, value);

    internal static string Number(double value) => value.ToString("0", CultureInfo.InvariantCulture);

    /// <summary>The number after a name in a file of <c>name number</c> lines; 0 where it is not there.</summary>
    internal static long Counter(string file, string name)
    {
        try
        {
            foreach (var line in File.ReadLines(file))
            {
                if (line.StartsWith($"{name} ", StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture);
            }
        }
        catch (IOException)
        {
            // The group is gone.
        }

        return 0;
    }

    /// <summary>A group can be removed when its last process has been reaped, which the kernel does in its own time.</summary>
    internal static async Task RemoveFolder(string folder, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 100 && Directory.Exists(folder); attempt++)
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                await Task.Delay(20, cancellationToken);
            }
        }
    }
}

/// <summary>An ordinary user's jail: the limits that <c>init</c> sets on itself are all there is.</summary>
internal sealed class NoResourceGroup : IResourceGroup
{
    public IReadOnlyList<string> ProcessFiles => [];

    public long OutOfMemoryKills() => 0;

    public Task Remove(CancellationToken cancellationToken) => Task.CompletedTask;
}
