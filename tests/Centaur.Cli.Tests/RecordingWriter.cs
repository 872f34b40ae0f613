using System.Text;

namespace Centaur.Cli.Tests;

/// <summary>Keeps what was written, and can be read while somebody writes.</summary>
internal sealed class RecordingWriter : TextWriter
{
    readonly Lock gate = new();
    readonly StringBuilder written = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        lock (gate)
            written.Append(value);
    }

    public override void Write(string? value)
    {
        lock (gate)
            written.Append(value);
    }

    public override void WriteLine(string? value)
    {
        lock (gate)
            written.Append(value).Append('\n');
    }

    public override string ToString()
    {
        lock (gate)
            return written.ToString();
    }
}
