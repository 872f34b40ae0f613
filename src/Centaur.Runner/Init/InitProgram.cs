using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Centaur.Protocol.Sandbox;
using Centaur.Runner.Native;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Init;

/// <summary>
/// <c>centaur-runner init CONTROL PROCESSES</c>: pid 1 of a jail. Reaps orphans, holds the loopback forwarders, and does for the keeper what only the jail's
/// own user may do in folders that the sandbox controls. It keeps nothing: when the keeper's socket closes it ends, and the jail with it.
/// </summary>
internal sealed unsafe class InitProgram : IDisposable
{
    const int SetDescriptorFlags = 2;
    const int CloseOnExec = 1;
    const int SetDumpable = 4;
    const int LimitCore = 4;
    const int ScratchBytes = 64 * 1024;
    const int ReportBytes = 8;

    readonly int control;
    readonly EventLoop loop = new();
    readonly Reaper reaper;
    readonly HashSet<int> started = [];
    readonly int reports;
    readonly byte[] packet = new byte[MessageSocket.MaxBytes];
    bool ended;

    InitProgram(int control)
    {
        this.control = control;
        var pipe = stackalloc int[2];
        Libc.Check(Libc.pipe2(pipe, Libc.CloseOnExec), "Make a pipe");
        reports = pipe[0];
        var reporter = pipe[1];
        reaper = new Reaper((pid, status) =>
        {
            var report = stackalloc int[2] { pid, status };
            _ = Libc.write(reporter, report, ReportBytes);
        });
    }

    public static int Run(int control, int processes)
    {
        Libc.Check(Libc.fcntl(control, SetDescriptorFlags, CloseOnExec), "Keep the control socket");

        // Nobody else in the jail may read this process's memory or take its descriptors, although they share its uid.
        Libc.Check(Libc.prctl(SetDumpable, 0, 0, 0, 0), "Become undumpable");
        Limit(LimitCore, 0);
        Limit(Libc.LimitProcesses, processes);
        JailFileWriter.MakeFolder(JailPaths.Workspace);
        using var init = new InitProgram(control);
        init.Serve();
        return 0;
    }

    static void Limit(int resource, int value)
    {
        var limit = new ResourceLimit { Soft = (ulong)value, Hard = (ulong)value };
        _ = Libc.setrlimit(resource, &limit);
    }

    void Serve()
    {
        var scratch = new byte[ScratchBytes];
        _ = new Forwarder(loop, scratch, JailPaths.ProxyPort, $"{JailPaths.Sockets}/proxy.sock");
        _ = new Forwarder(loop, scratch, JailPaths.ApiPort, $"{JailPaths.Sockets}/api.sock");
        loop.Watch(control, EventLoop.Readable, _ => Obey());
        loop.Watch(reports, EventLoop.Readable, _ => Report());
        Tell(new InitMessage.Ready());
        loop.Run(() => ended);
    }

    void Obey()
    {
        var descriptors = new List<int>();
        var length = MessageSocket.Receive(control, packet, descriptors);
        if (length == 0)
        {
            ended = true;
            return;
        }

        try
        {
            switch (InitMessage.Decode(packet.AsSpan(0, length)))
            {
                case InitMessage.Execute execute when descriptors.Count == 3:
                    Execute(execute, descriptors);
                    break;
                case InitMessage.Signal signal when started.Contains(signal.Pid):
                    reaper.WhileNoneIsReaped(() => ProcessTree.Signal(signal.Pid, started, signal.Number));
                    break;
                case InitMessage.WriteFile file when descriptors.Count == 1:
                    Write(file, descriptors);
                    break;
            }
        }
        finally
        {
            foreach (var descriptor in descriptors)
                Libc.close(descriptor);
        }
    }

    void Execute(InitMessage.Execute execute, List<int> streams)
    {
        var (pid, error) = reaper.Start(
            new SpawnRequest
            {
                Arguments = execute.Arguments,
                Environment = execute.Environment,
                WorkingFolder = execute.Folder,
                Descriptors = [new(streams[0], 0), new(streams[1], 1), new(streams[2], 2)],
            },
            pid => started.Add(pid));
        Tell(new InitMessage.Executed(execute.Id, pid, error == 0 ? "" : Marshal.GetPInvokeErrorMessage(error)));
    }

    void Write(InitMessage.WriteFile file, List<int> descriptors)
    {
        try
        {
            using var content = new SafeFileHandle(descriptors[0], ownsHandle: false);
            JailFileWriter.Write(file.Path, file.Mode, content);
            Tell(new InitMessage.Written(file.Id, ""));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Tell(new InitMessage.Written(file.Id, failure.Message));
        }
    }

    void Report()
    {
        var report = new byte[ReportBytes];
        fixed (byte* start = report)
        {
            if (Libc.read(reports, start, ReportBytes) != ReportBytes)
                return;
        }

        var pid = BinaryPrimitives.ReadInt32LittleEndian(report);
        if (started.Remove(pid))
            Tell(new InitMessage.Exited(pid, BinaryPrimitives.ReadInt32LittleEndian(report.AsSpan(4))));
    }

    public void Dispose() => reaper.Dispose();

    void Tell(InitMessage message) => MessageSocket.Send(control, message.Encode(), []);
}
