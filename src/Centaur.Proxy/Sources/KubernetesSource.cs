using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources;

/// <summary>
/// Keys of a Secret that the kubelet mounted. It writes each version into a folder of its own (<c>..2026_…</c>), points <c>..data</c> there with one rename, and
/// links every key to <c>..data/KEY</c> (AtomicWriter of Kubernetes); these two links are followed, and no others.
/// </summary>
/// <param name="folder">Where the Secret is mounted.</param>
sealed class KubernetesSource(string folder) : IValueSource
{
    const string CurrentVersion = "..data";
    const int Tries = 4;

    public async Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken)
    {
        if (!SourceForm.IsKubernetesKey(reference))
            return SourceAnswer.BadReference("a Kubernetes Secret");
        try
        {
            if (!Directory.Exists(folder))
                return SourceAnswer.Unavailable("the folder of the Kubernetes Secret is not there; is it mounted?");
            var answer = SourceAnswer.Missing("");
            // A version may be replaced, and removed, between the link and the file.
            for (var i = 0; i < Tries; i++)
            {
                var version = new FileInfo(Path.Combine(folder, CurrentVersion)).LinkTarget;
                answer = await ReadOnce(reference, version, cancellationToken);
                if (answer.Value is not null || new FileInfo(Path.Combine(folder, CurrentVersion)).LinkTarget == version)
                    return answer;
            }

            return answer;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return SourceAnswer.Unavailable($"the folder of the Kubernetes Secret cannot be read ({fault.GetType().Name})");
        }
    }

    async Task<SourceAnswer> ReadOnce(string key, string? version, CancellationToken cancellationToken)
    {
        var entry = new FileInfo(Path.Combine(folder, key));
        // A key that was mounted alone (subPath) is a plain file.
        if (entry.LinkTarget is null)
            return await ReadPlain(entry, cancellationToken);
        if (entry.LinkTarget != $"{CurrentVersion}/{key}" || version is null || !IsVersion(version))
            return SourceAnswer.Forbidden("the key is a link that Kubernetes did not make");
        var target = new DirectoryInfo(Path.Combine(folder, version));
        return target.LinkTarget is null
            ? await ReadPlain(new FileInfo(Path.Combine(target.FullName, key)), cancellationToken)
            : SourceAnswer.Forbidden("the key is a link that Kubernetes did not make");
    }

    static async Task<SourceAnswer> ReadPlain(FileInfo file, CancellationToken cancellationToken)
    {
        if (file.LinkTarget is not null)
            return SourceAnswer.Forbidden("the key is a link that Kubernetes did not make");
        return file.Exists ? await ValueFile.Read(file.FullName, cancellationToken) : SourceAnswer.Missing("the Secret has no such key");
    }

    /// <summary>A plain name that begins with two dots: <c>..</c> itself and a path would lead elsewhere.</summary>
    static bool IsVersion(string target) => target.Length > 2 && target.StartsWith("..", StringComparison.Ordinal) && !target.Contains('/', StringComparison.Ordinal);
}
