namespace Centaur.Proxy.Sources;

/// <summary>Whether a file is its owner's alone (0600 or less).</summary>
static class PrivateMode
{
    const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static bool IsKept(FileInfo file) => (file.UnixFileMode & Others) == UnixFileMode.None;
}
