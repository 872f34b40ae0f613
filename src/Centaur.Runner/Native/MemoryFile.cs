using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Native;

/// <summary>Files without a name, in memory.</summary>
internal static class MemoryFile
{
    const uint CloseOnExec = 1;
    const uint AllowSealing = 2;

    public static SafeFileHandle Empty(string name) =>
        new(Libc.Check(Libc.memfd_create(name, CloseOnExec | AllowSealing), "Make a file in memory"), ownsHandle: true);

    /// <summary>A file with this content, read from its start by whoever gets it.</summary>
    public static SafeFileHandle Of(string name, ReadOnlySpan<byte> content)
    {
        var file = Empty(name);
        RandomAccess.Write(file, content, 0);
        return file;
    }
}
