using Centaur.Runner.Native;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Init;

/// <summary>Writes files in the jail as the jail's own user. No component of a path may be a symbolic link: the agent owns these folders.</summary>
internal static class JailFileWriter
{
    const int ReadOnlyFolder = 0x10000 | 0x20000 | Libc.CloseOnExec;
    const int NewFile = 1 | 0x40 | 0x80 | 0x20000 | Libc.CloseOnExec;
    const int WorkingFolder = -100;
    const uint FolderMode = 0x1c0;

    /// <summary>Replaces the file, whatever it was, in one step.</summary>
    /// <exception cref="IOException">A folder of the path is a link, or the disk is full.</exception>
    public static void Write(string path, uint mode, SafeFileHandle content)
    {
        using var folder = OpenFolder(Path.GetDirectoryName(path)!);
        var parent = (int)folder.DangerousGetHandle();
        var name = Path.GetFileName(path);
        var fresh = $".{name}.new";
        _ = Libc.unlinkat(parent, fresh, 0);
        using (var file = new SafeFileHandle(Libc.Check(Libc.openat(parent, fresh, NewFile, mode), $"Create {path}"), ownsHandle: true))
        {
            var buffer = new byte[16 * 1024];
            long offset = 0;
            int read;
            while ((read = RandomAccess.Read(content, buffer, offset)) > 0)
            {
                RandomAccess.Write(file, buffer.AsSpan(0, read), offset);
                offset += read;
            }
        }

        Libc.Check(Libc.renameat(parent, fresh, parent, name), $"Replace {path}");
    }

    /// <summary>Makes the folder and those above it where they are missing.</summary>
    public static void MakeFolder(string path) => OpenFolder(path).Dispose();

    static SafeFileHandle OpenFolder(string path)
    {
        var current = new SafeFileHandle(Libc.Check(Libc.openat(WorkingFolder, "/", ReadOnlyFolder, 0), "Open /"), ownsHandle: true);
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            using var above = current;
            var parent = (int)above.DangerousGetHandle();
            var next = Libc.openat(parent, part, ReadOnlyFolder, 0);
            if (next < 0 && Libc.mkdirat(parent, part, FolderMode) == 0)
                next = Libc.openat(parent, part, ReadOnlyFolder, 0);
            current = new SafeFileHandle(Libc.Check(next, $"Open the folder {part} of {path}"), ownsHandle: true);
        }

        return current;
    }
}
