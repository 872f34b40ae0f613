using System.Buffers.Binary;

namespace Centaur.Runner.Keep.Jail.Seccomp;

/// <summary>A classic BPF program over <c>struct seccomp_data</c>, as the kernel and <c>bwrap --seccomp</c> read it.</summary>
internal sealed class BpfProgram
{
    public const uint Allow = 0x7fff0000;
    const uint RefuseWith = 0x00050000;

    const ushort LoadWord = 0x20;
    const ushort JumpIfEqual = 0x15;
    const ushort JumpIfAtLeast = 0x35;
    const ushort JumpIfAnySet = 0x45;
    const ushort Return = 0x06;

    const uint NumberOffset = 0;
    const uint ArchitectureOffset = 4;
    const uint ArgumentsOffset = 16;
    const int InstructionBytes = 8;

    readonly List<(ushort Code, byte True, byte False, uint Value)> instructions = [];

    public static uint Refuse(int error) => RefuseWith | (uint)error;

    public void LoadNumber() => instructions.Add((LoadWord, 0, 0, NumberOffset));

    public void LoadArchitecture() => instructions.Add((LoadWord, 0, 0, ArchitectureOffset));

    /// <summary>The lower half of an argument; the kernel reads no more of the ones that we look at.</summary>
    public void LoadArgument(int index) => instructions.Add((LoadWord, 0, 0, ArgumentsOffset + 8 * (uint)index));

    public void ReturnIfEqual(uint value, uint action) => Branch(JumpIfEqual, value, action);

    public void ReturnIfAtLeast(uint value, uint action) => Branch(JumpIfAtLeast, value, action);

    public void ReturnIfAnySet(uint mask, uint action) => Branch(JumpIfAnySet, mask, action);

    public void ReturnUnlessEqual(uint value, uint action)
    {
        instructions.Add((JumpIfEqual, 1, 0, value));
        Always(action);
    }

    public void Always(uint action) => instructions.Add((Return, 0, 0, action));

    /// <summary>Runs <paramref name="block"/>, which must return on every path, where the loaded word is this value.</summary>
    public void WhenEqual(uint value, Action<BpfProgram> block)
    {
        var inner = new BpfProgram();
        block(inner);
        instructions.Add((JumpIfEqual, 0, checked((byte)inner.instructions.Count), value));
        instructions.AddRange(inner.instructions);
    }

    public byte[] Assemble()
    {
        var bytes = new byte[instructions.Count * InstructionBytes];
        for (var i = 0; i < instructions.Count; i++)
        {
            var instruction = bytes.AsSpan(i * InstructionBytes);
            BinaryPrimitives.WriteUInt16LittleEndian(instruction, instructions[i].Code);
            instruction[2] = instructions[i].True;
            instruction[3] = instructions[i].False;
            BinaryPrimitives.WriteUInt32LittleEndian(instruction[4..], instructions[i].Value);
        }

        return bytes;
    }

    void Branch(ushort code, uint value, uint action)
    {
        instructions.Add((code, 0, 1, value));
        Always(action);
    }
}
