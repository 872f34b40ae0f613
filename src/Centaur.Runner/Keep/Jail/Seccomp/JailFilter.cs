namespace Centaur.Runner.Keep.Jail.Seccomp;

/// <summary>
/// The system calls that nothing in a jail may make. Namespaces and the missing capabilities refuse most of them already; the filter keeps the kernel code
/// behind them out of reach, so that one bug there is not the end of the wall.
/// <para>1. Another architecture's numbers, and the x32 ones, are not there at all.</para>
/// <para>2. What is refused whole: see <see cref="RefusedCalls"/>.</para>
/// <para>3. What depends on arguments: new namespaces, socket families and protocols, terminal input, execution domains.</para>
/// <para>4. Everything else is allowed.</para>
/// </summary>
internal static class JailFilter
{
    const uint Amd64 = 0xc000003e;
    const uint X32Bit = 0x40000000;

    const int NotPermitted = 1;
    const int NoSuchCall = 38;
    const int ProtocolNotSupported = 93;
    const int FamilyNotSupported = 97;

    const uint Ioctl = 16;
    const uint Socket = 41;
    const uint SocketPair = 53;
    const uint Clone = 56;
    const uint Personality = 135;

    const uint NewNamespaces = 0x7e020000;
    const uint SimulateInput = 0x5412;
    const uint ConsoleControl = 0x541c;
    const uint Unix = 1;
    const uint Internet = 2;
    const uint Internet6 = 10;
    const uint AnyProtocol = 0;
    const uint Tcp = 6;
    const uint Udp = 17;

    /// <summary>Linux as it is, as 32-bit, with an old version number, and the question which one it is.</summary>
    static readonly uint[] ExecutionDomains = [0, 8, 0x20000, 0x20008, 0xffffffff];

    public static byte[] Assemble()
    {
        var program = new BpfProgram();

        // 1.
        program.LoadArchitecture();
        program.ReturnUnlessEqual(Amd64, BpfProgram.Refuse(NoSuchCall));
        program.LoadNumber();
        program.ReturnIfAtLeast(X32Bit, BpfProgram.Refuse(NoSuchCall));

        // 2.
        foreach (var call in RefusedCalls.NotPermitted)
            program.ReturnIfEqual(call, BpfProgram.Refuse(NotPermitted));
        foreach (var call in RefusedCalls.NotThere)
            program.ReturnIfEqual(call, BpfProgram.Refuse(NoSuchCall));

        // 3.
        program.WhenEqual(Clone, block =>
        {
            block.LoadArgument(0);
            block.ReturnIfAnySet(NewNamespaces, BpfProgram.Refuse(NotPermitted));
            block.Always(BpfProgram.Allow);
        });
        program.WhenEqual(Socket, block =>
        {
            block.LoadArgument(0);
            block.ReturnIfEqual(Unix, BpfProgram.Allow);
            block.WhenEqual(Internet, InternetProtocols);
            block.WhenEqual(Internet6, InternetProtocols);
            block.Always(BpfProgram.Refuse(FamilyNotSupported));
        });
        program.WhenEqual(SocketPair, block =>
        {
            block.LoadArgument(0);
            block.ReturnIfEqual(Unix, BpfProgram.Allow);
            block.Always(BpfProgram.Refuse(FamilyNotSupported));
        });
        program.WhenEqual(Ioctl, block =>
        {
            block.LoadArgument(1);
            block.ReturnIfEqual(SimulateInput, BpfProgram.Refuse(NotPermitted));
            block.ReturnIfEqual(ConsoleControl, BpfProgram.Refuse(NotPermitted));
            block.Always(BpfProgram.Allow);
        });
        program.WhenEqual(Personality, block =>
        {
            block.LoadArgument(0);
            foreach (var domain in ExecutionDomains)
                block.ReturnIfEqual(domain, BpfProgram.Allow);
            block.Always(BpfProgram.Refuse(NotPermitted));
        });

        // 4.
        program.Always(BpfProgram.Allow);
        return program.Assemble();
    }

    static void InternetProtocols(BpfProgram block)
    {
        block.LoadArgument(2);
        block.ReturnIfEqual(AnyProtocol, BpfProgram.Allow);
        block.ReturnIfEqual(Tcp, BpfProgram.Allow);
        block.ReturnIfEqual(Udp, BpfProgram.Allow);
        block.Always(BpfProgram.Refuse(ProtocolNotSupported));
    }
}
