namespace Centaur.Runner.BuiltIn.Tools;

/// <summary>The framework's own texts are trimmed away in the published program, so what went wrong is put into words here.</summary>
internal static class FileFailures
{
    const int NoSpaceLeft = 28;
    const int ReadOnly = 30;
    const int QuotaExceeded = 122;

    public static string Words(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => "There is no such file or folder.",
        UnauthorizedAccessException => "Permission denied, or the path is a folder.",
        PathTooLongException => "The path is too long.",
        IOException { HResult: NoSpaceLeft or QuotaExceeded } => "The disk is full.",
        IOException { HResult: ReadOnly } => "The place is read-only.",
        IOException io => $"The file system refused (error {io.HResult & 0xFFFF}).",
        _ => "The path is not valid.",
    };
}
