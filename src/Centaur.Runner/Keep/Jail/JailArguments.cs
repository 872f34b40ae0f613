using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Jail;

/// <summary>The bubblewrap command line of a jail. Order matters there: a later mount covers an earlier one.</summary>
internal static class JailArguments
{
    /// <summary>The number under which pid 1 finds the keeper's socket.</summary>
    public const int ControlDescriptor = 3;

    /// <summary>The number under which bubblewrap finds the system call filter.</summary>
    public const int FilterDescriptor = 4;

    /// <summary>What the kernel tells everybody about the whole machine.</summary>
    static readonly string[] HiddenFiles =
        ["/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/kallsyms", "/proc/kmsg", "/proc/config.gz", "/proc/cmdline", "/proc/timer_list",
         "/proc/sched_debug", "/proc/sysrq-trigger", "/proc/kpagecount", "/proc/kpageflags", "/proc/kpagecgroup", "/proc/diskstats", "/proc/mdstat", "/proc/modules",
         "/proc/partitions", "/proc/swaps", "/proc/vmallocinfo", "/proc/iomem", "/proc/ioports", "/proc/interrupts"];

    static readonly string[] HiddenFolders = ["/proc/acpi", "/proc/scsi", "/proc/asound", "/proc/bus", "/proc/driver", "/proc/irq", "/proc/fs"];

    static readonly string[] SystemFiles = ["/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/protocols", "/etc/services", "/etc/mime.types"];

    public static List<string> For(SandboxSpec spec, KeeperFolders folders, JailFiles files)
    {
        List<string> arguments =
        [
            "bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--disable-userns",
            "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--as-pid-1", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv",
            "--seccomp", $"{FilterDescriptor}",
            "--ro-bind", "/usr", "/usr",
            "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
        ];
        foreach (var file in SystemFiles)
            arguments.AddRange(["--ro-bind-try", file, file]);
        if (Directory.Exists("/etc/ssl/certs"))
            arguments.AddRange(["--ro-bind", "/etc/ssl/certs", "/etc/ssl/certs"]);
        arguments.AddRange(["--ro-bind-try", "/etc/ssl/openssl.cnf", "/etc/ssl/openssl.cnf"]);
        arguments.AddRange(["--ro-bind", files.CaBundle, JailPaths.CaBundle, "--ro-bind", files.CaCertificate, JailPaths.CaCertificate]);
        arguments.AddRange(["--ro-bind", files.Passwd, "/etc/passwd", "--ro-bind", files.Group, "/etc/group"]);
        arguments.AddRange(["--ro-bind", files.Hosts, "/etc/hosts", "--ro-bind", files.NameServices, "/etc/nsswitch.conf"]);

        arguments.AddRange(["--proc", "/proc"]);
        foreach (var file in HiddenFiles.Where(File.Exists))
            arguments.AddRange(["--ro-bind", files.Empty, file]);
        foreach (var folder in HiddenFolders.Where(Directory.Exists))
            arguments.AddRange(["--tmpfs", folder, "--remount-ro", folder]);

        arguments.AddRange(["--dev", "/dev", "--size", $"{spec.Limits.TmpBytes}", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
        arguments.AddRange(["--size", $"{spec.Limits.TmpBytes}", "--perms", "1777", "--tmpfs", "/tmp", "--dir", "/var", "--symlink", "../tmp", "/var/tmp"]);
        arguments.AddRange(["--bind", spec.HomeFolder, JailPaths.Home]);
        arguments.AddRange(["--ro-bind", spec.RunnerProgram, JailPaths.Runner, "--ro-bind", files.Call, $"{JailEnvironment.Commands}/call"]);
        foreach (var mount in spec.Toolchain)
            arguments.AddRange(["--ro-bind", mount.Source, mount.Target]);
        arguments.AddRange(["--ro-bind", folders.Sockets, JailPaths.Sockets, "--remount-ro", "/", "--chdir", JailPaths.Home]);

        // No diagnostics socket: whoever owns the jail's uid could talk to it.
        arguments.AddRange(["--setenv", "DOTNET_EnableDiagnostics", "0", "--setenv", "DOTNET_TieredCompilation", "0", "--setenv", "HOME", JailPaths.Home]);
        arguments.AddRange(["--", JailPaths.Runner, "init", $"{ControlDescriptor}", $"{spec.Limits.Processes}"]);
        return arguments;
    }
}
