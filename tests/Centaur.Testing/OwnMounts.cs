namespace Centaur.Testing;

/// <summary>Runs a program in a mount namespace of its own: what is mounted there is nobody else's, and gone with it.</summary>
public static class OwnMounts
{
    static readonly string[] Unshare = Environment.IsPrivilegedProcess ? ["unshare", "--mount"] : ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount"];

    /// <summary>The words before a program's own that give it a file system of this size at a folder, which exists.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="size">As <c>mount</c> takes it, for example <c>2m</c>.</param>
    /// <param name="options">More of the mount's options.</param>
    public static IReadOnlyList<string> SmallDisk(string folder, string size, string options = "mode=0700") =>
        [.. Unshare, "sh", "-c", $"mount -t tmpfs -o size={size},{options} tmpfs \"$0\" && exec \"$@\"", folder];

    /// <summary>The words before a program's own that let it find this file, as it is now and as it is written later, in another's place.</summary>
    public static IReadOnlyList<string> InPlaceOf(string path, string file) =>
        [.. Unshare, "sh", "-c", "mount --bind \"$0\" \"$1\" && shift && exec \"$@\"", file, path];
}
