using System.Text;
using Centaur.Proxy.Secrets;

namespace Centaur.Proxy.Sources;

/// <summary>
/// What the broker logs in with: a variable, or a file that its operator keeps (0600) and may replace at any time. The file is read at the start, where root may
/// still read it, and again for every use; the last one that could be read counts.
/// </summary>
sealed class SourceToken
{
    const int Longest = 64 * 1024;

    readonly string? file;
    volatile Secret current;

    SourceToken(Secret token, string? file) => (current, this.file) = (token, file);

    /// <exception cref="InvalidDataException">It cannot be a token; the message says why.</exception>
    public static SourceToken OfVariable(string name, string value) => new(Valid(name, value), null);

    /// <exception cref="InvalidDataException">It cannot be read, is open to others, or holds no token; the message says which.</exception>
    public static SourceToken OfFile(string path) => new(ReadFile(path), path);

    public Secret Current()
    {
        if (file is null)
            return current;
        try
        {
            return current = ReadFile(file);
        }
        catch (InvalidDataException)
        {
            return current;
        }
    }

    static Secret ReadFile(string path)
    {
        try
        {
            var found = new FileInfo(path);
            if (!found.Exists)
                throw new InvalidDataException($"{path} cannot be read: there is no such file");
            if (!PrivateMode.IsKept(found))
                throw new InvalidDataException($"{path} can be read by others than its owner; give it mode 0600");
            if (found.Length > Longest)
                throw new InvalidDataException($"{path} is too long for a token");
            return Valid(path, File.ReadAllText(path));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path} cannot be read ({fault.GetType().Name})", fault);
        }
    }

    static Secret Valid(string where, string text)
    {
        var token = new Secret(where, Encoding.UTF8.GetBytes(text.Trim()));
        return token.FitsHeader ? token : throw new InvalidDataException($"{where} holds no token: it is empty or has more than one line");
    }
}
