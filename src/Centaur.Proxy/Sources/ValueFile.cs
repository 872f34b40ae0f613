namespace Centaur.Proxy.Sources;

/// <summary>Reads a file that is a value: bounded, and without the line feed that editors leave at the end.</summary>
static class ValueFile
{
    public static async Task<SourceAnswer> Read(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > SourceReader.LongestValue)
                return SourceAnswer.Forbidden($"the value is longer than {SourceReader.LongestValue} bytes");
            var bytes = new byte[file.Length];
            var read = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            var value = bytes.AsSpan(0, read);
            return SourceAnswer.Of((value is [.., (byte)'\n'] ? value[..^1] : value).ToArray());
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return SourceAnswer.Missing("no value has been set");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return SourceAnswer.Unavailable($"the file cannot be read ({fault.GetType().Name})");
        }
    }
}
