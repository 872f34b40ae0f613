namespace Centaur.Proxy.Tests.Fixtures.Sources;

/// <summary>A Secret as the kubelet mounts it: a folder for each version, <c>..data</c> that points to the newest, and a link through it for each key.</summary>
sealed class KubernetesFolder : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-kubelet-");
    string? current;
    int version;

    public string Path => folder.FullName;

    /// <summary>Writes a version, and replaces the one before in the kubelet's order: folder, rename of <c>..data</c>, links, removal.</summary>
    public void Write(params (string Key, string Value)[] data)
    {
        var name = $"..2026_11_21_10_00_00.{++version}";
        var fresh = folder.CreateSubdirectory(name);
        foreach (var (key, value) in data)
            File.WriteAllText(System.IO.Path.Combine(fresh.FullName, key), value);
        File.CreateSymbolicLink(In("..data_tmp"), name);
        Kernel.Rename(In("..data_tmp"), In("..data"));
        foreach (var (key, _) in data)
        {
            if (new FileInfo(In(key)).LinkTarget is null)
                File.CreateSymbolicLink(In(key), "..data/" + key);
        }

        foreach (var old in folder.EnumerateFileSystemInfos().Where(entry => !entry.Name.StartsWith("..", StringComparison.Ordinal) && data.All(each => each.Key != entry.Name)).ToList())
            old.Delete();
        if (current is not null)
            Directory.Delete(In(current), recursive: true);
        current = name;
    }

    public string In(string name) => System.IO.Path.Combine(folder.FullName, name);

    public void Dispose() => folder.Delete(recursive: true);
}
