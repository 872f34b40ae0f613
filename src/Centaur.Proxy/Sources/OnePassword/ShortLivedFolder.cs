namespace Centaur.Proxy.Sources.OnePassword;

/// <summary>The home of a program that keeps settings below it; nothing of it stays.</summary>
sealed class ShortLivedFolder(string prefix) : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory(prefix);

    public string Path => folder.FullName;

    public void Dispose()
    {
        try
        {
            folder.Delete(recursive: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Something that the program left behind still writes there. The value counts, and was read.
        }
    }
}
