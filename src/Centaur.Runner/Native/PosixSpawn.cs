using System.Runtime.InteropServices;

namespace Centaur.Runner.Native;

/// <summary>
/// Starts a process in a session of its own with exactly the descriptors that it is given. <see cref="System.Diagnostics.Process"/> can pass none, and
/// <c>fork</c> is not for a process with a runtime in it.
/// </summary>
internal static unsafe partial class PosixSpawn
{
    const short SetSignalDefaults = 0x04;
    const short SetSignalMask = 0x08;
    const short SetSession = 0x80;
    const int DuplicateCloseOnExec = 1030;
    const int AttributesBytes = 512;
    const int ActionsBytes = 256;
    const int SignalSetBytes = 128;
    const int FirstFree = 3;

    /// <summary>Returns the new process's id; the error is the number of <c>errno</c>.</summary>
    public static (int Pid, int Error) Start(SpawnRequest request)
    {
        // Sources are moved out of the way first, so that no target overwrites a source that is still wanted.
        var moved = new List<DescriptorMove>(request.Descriptors.Count);
        var attributes = stackalloc byte[AttributesBytes];
        var actions = stackalloc byte[ActionsBytes];
        var arguments = new NativeStrings(request.Arguments);
        var environment = new NativeStrings(request.Environment.Select(pair => $"{pair.Key}={pair.Value}"));
        posix_spawnattr_init(attributes);
        posix_spawn_file_actions_init(actions);
        try
        {
            var last = FirstFree - 1;
            foreach (var move in request.Descriptors)
            {
                moved.Add(move with { Source = Libc.Check(Libc.fcntl(move.Source, DuplicateCloseOnExec, 64), "Duplicate a descriptor") });
                last = Math.Max(last, move.Target);
            }

            if (!moved.Exists(move => move.Target == 0))
                posix_spawn_file_actions_addopen(actions, 0, "/dev/null", 0, 0);
            foreach (var move in moved)
                posix_spawn_file_actions_adddup2(actions, move.Source, move.Target);
            for (var gap = FirstFree; gap < last; gap++)
            {
                if (!moved.Exists(move => move.Target == gap))
                    posix_spawn_file_actions_addclose(actions, gap);
            }

            posix_spawn_file_actions_addclosefrom_np(actions, last + 1);
            if (request.WorkingFolder is not null)
                posix_spawn_file_actions_addchdir_np(actions, request.WorkingFolder);

            // The runtime ignores SIGPIPE; a program that inherits that never ends at the end of a pipeline.
            var signals = stackalloc byte[SignalSetBytes];
            new Span<byte>(signals, SignalSetBytes).Fill(0xff);
            posix_spawnattr_setsigdefault(attributes, signals);
            new Span<byte>(signals, SignalSetBytes).Clear();
            posix_spawnattr_setsigmask(attributes, signals);
            posix_spawnattr_setflags(attributes, SetSignalDefaults | SetSignalMask | SetSession);

            int pid;
            var error = posix_spawn(&pid, request.Arguments[0], actions, attributes, arguments.Pointer, environment.Pointer);
            return (error == 0 ? pid : 0, error);
        }
        finally
        {
            posix_spawn_file_actions_destroy(actions);
            posix_spawnattr_destroy(attributes);
            arguments.Free();
            environment.Free();
            foreach (var move in moved)
                Libc.close(move.Source);
        }
    }

    /// <summary>A null-terminated array of C strings.</summary>
    sealed class NativeStrings
    {
        readonly int count;

        public NativeStrings(IEnumerable<string> strings)
        {
            var list = strings.ToList();
            count = list.Count;
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(count + 1), (nuint)sizeof(byte*));
            for (var i = 0; i < count; i++)
                Pointer[i] = (byte*)Marshal.StringToCoTaskMemUTF8(list[i]);
        }

        public byte** Pointer { get; }

        public void Free()
        {
            for (var i = 0; i < count; i++)
                Marshal.ZeroFreeCoTaskMemUTF8((nint)Pointer[i]);
            NativeMemory.Free(Pointer);
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(int* pid, string path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static partial void posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    private static partial void posix_spawnattr_destroy(void* attributes);

    [LibraryImport("libc")]
    private static partial void posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    private static partial void posix_spawnattr_setsigdefault(void* attributes, void* signals);

    [LibraryImport("libc")]
    private static partial void posix_spawnattr_setsigmask(void* attributes, void* signals);

    [LibraryImport("libc")]
    private static partial void posix_spawn_file_actions_init(void* actions);

    [LibraryImport("libc")]
    private static partial void posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport("libc")]
    private static partial void posix_spawn_file_actions_adddup2(void* actions, int source, int target);

    [LibraryImport("libc")]
    private static partial void posix_spawn_file_actions_addclose(void* actions, int descriptor);

    [LibraryImport("libc")]
    private static partial void posix_spawn_file_actions_addclosefrom_np(void* actions, int first);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void posix_spawn_file_actions_addopen(void* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void posix_spawn_file_actions_addchdir_np(void* actions, string path);
}
