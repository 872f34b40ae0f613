namespace Centaur.Server.Platform.Configuration;

/// <summary>Files that only their owner may read (0600) and that are never half there.</summary>
internal static class PrivateFile
{
    /// <summary>Writes a file that must not exist yet (O_EXCL), durable before it returns.</summary>
    /// <exception cref="IOException">It exists already.</exception>
    public static void Create(string path, string text)
    {
        FolderFor(path);
        using var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        using var writer = new StreamWriter(stream);
        writer.Write(text);
        writer.Flush();
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Replaces a file as a whole.</summary>
    public static void Replace(string path, string text)
    {
        var next = $"{path}.{Environment.ProcessId}.next";
        File.Delete(next);
        Create(next, text);
        File.Move(next, path, overwrite: true);
    }

    /// <summary>The trimmed text, or null where there is no file or nothing in it.</summary>
    public static string? Read(string path) => File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } text ? text : null;

    static void FolderFor(string path) => Directory.CreateDirectory(Path.GetDirectoryName(path)!);
}
