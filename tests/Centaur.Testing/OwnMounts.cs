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
}
