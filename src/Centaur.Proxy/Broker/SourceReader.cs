using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Broker;

/// <summary>Reads a value at its source: a file of the broker's own folder, or a variable of its own environment.</summary>
/// <param name="folder">The secrets folder.</param>
/// <param name="environment">The environment as it was at the start.</param>
sealed class SourceReader(string folder, IReadOnlyDictionary<string, string> environment)
{
    const int LongestValue = 256 * 1024;
    const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public async Task<SourceAnswer> Read(string name, SecretSource source, CancellationToken cancellationToken) => source.Type switch
    {
        SecretSourceTypes.File => await ReadFile(source.Reference ?? name, cancellationToken),
        SecretSourceTypes.Environment => ReadVariable(source.Reference ?? name),
        _ => SourceAnswer.Failed(BrokerFailures.NotFound, $"there is no source of type \"{source.Type}\""),
    };

    async Task<SourceAnswer> ReadFile(string name, CancellationToken cancellationToken)
    {
        if (!IsPlainName(name))
            return SourceAnswer.Failed(BrokerFailures.NotFound, "the name cannot be a file's");
        var file = new FileInfo(Path.Combine(folder, name));
        try
        {
            if (file.LinkTarget is not null)
                return SourceAnswer.Failed(BrokerFailures.Forbidden, "the file is a link");
            if (!file.Exists)
                return SourceAnswer.Failed(BrokerFailures.NotFound, "no value has been set");
            if ((file.UnixFileMode & Others) != UnixFileMode.None)
                return SourceAnswer.Failed(BrokerFailures.Forbidden, "the file can be read by others than its owner; set it again, or give it mode 0600");
            if (file.Length > LongestValue)
                return SourceAnswer.Failed(BrokerFailures.Forbidden, $"the value is longer than {LongestValue} bytes");
            var bytes = await File.ReadAllBytesAsync(file.FullName, cancellationToken);
            var value = bytes is [.., (byte)'\n'] ? bytes[..^1] : bytes;
            return value.Length == 0 ? SourceAnswer.Failed(BrokerFailures.NotFound, "the value is empty") : SourceAnswer.Of(value);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return SourceAnswer.Failed(BrokerFailures.SourceUnavailable, $"the file cannot be read ({fault.GetType().Name})");
        }
    }

    SourceAnswer ReadVariable(string name) => environment.TryGetValue(name, out var value) && value.Length > 0
        ? SourceAnswer.Of(System.Text.Encoding.UTF8.GetBytes(value))
        : SourceAnswer.Failed(BrokerFailures.NotFound, "the broker's environment has no such variable");

    static bool IsPlainName(string name) =>
        name.Length is > 0 and <= 128 && name[0] is not ('.' or '-') && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');
}

/// <summary>A value, or why there is none. <see cref="Code"/> is one of <see cref="BrokerFailures"/>.</summary>
sealed record SourceAnswer(byte[]? Value, string Code, string Message)
{
    public static SourceAnswer Of(byte[] value) => new(value, "", "");

    public static SourceAnswer Failed(string code, string message) => new(null, code, message);

    public override string ToString() => Value is null ? $"{Code}: {Message}" : "a value";
}
