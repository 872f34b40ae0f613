namespace Centaur.Runner.Keep.Jail.Seccomp;

/// <summary>Numbers of x86-64 system calls that a jail has no use for.</summary>
internal static class RefusedCalls
{
    /// <summary>Answered with EPERM.</summary>
    public static readonly uint[] NotPermitted =
    [
        // Other processes' memory and descriptors.
        101, // ptrace
        310, // process_vm_readv
        311, // process_vm_writev
        312, // kcmp
        438, // pidfd_getfd
        440, // process_madvise

        // Programs and rings in the kernel, and what watches it.
        298, // perf_event_open
        321, // bpf
        323, // userfaultfd
        300, // fanotify_init
        301, // fanotify_mark

        // Keys that are not namespaced.
        248, // add_key
        249, // request_key
        250, // keyctl

        // Mounts, and files by handle.
        155, // pivot_root
        161, // chroot
        165, // mount
        166, // umount2
        428, // open_tree
        429, // move_mount
        430, // fsopen
        431, // fsconfig
        432, // fsmount
        433, // fspick
        442, // mount_setattr
        467, // open_tree_attr
        303, // name_to_handle_at
        304, // open_by_handle_at
        179, // quotactl
        443, // quotactl_fd

        // Namespaces.
        272, // unshare
        308, // setns

        // The machine.
        163, // acct
        167, // swapon
        168, // swapoff
        169, // reboot
        170, // sethostname
        171, // setdomainname
        164, // settimeofday
        159, // adjtimex
        227, // clock_settime
        305, // clock_adjtime
        172, // iopl
        173, // ioperm
        103, // syslog
        153, // vhangup
        246, // kexec_load
        320, // kexec_file_load
        174, // create_module
        175, // init_module
        176, // delete_module
        313, // finit_module
        256, // migrate_pages
        279, // move_pages
    ];

    /// <summary>Answered with ENOSYS, so that libraries fall back to what came before: clone3's flags are behind a pointer that no filter can follow.</summary>
    public static readonly uint[] NotThere =
    [
        435, // clone3
        425, // io_uring_setup
        426, // io_uring_enter
        427, // io_uring_register
        134, // uselib
        136, // ustat
        139, // sysfs
        154, // modify_ldt
        156, // _sysctl
        177, // get_kernel_syms
        178, // query_module
        180, // nfsservctl
        212, // lookup_dcookie
    ];
}
