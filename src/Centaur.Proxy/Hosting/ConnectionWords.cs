using System.Text;

namespace Centaur.Proxy.Hosting;

/// <summary>
/// How the header <c>Connection</c> is read, so that every word of it is kept. Where Kestrel finds one word that it knows and no other, it puts that word in the place of
/// all values ("close, x-hop" becomes "close"), and a header that the client named to end at this hop would leave with the request
/// (https://github.com/dotnet/aspnetcore/blob/v10.0.0/src/Servers/Kestrel/Core/src/Internal/Http/HttpHeaders.cs, ParseConnection). Two known words it leaves alone, and
/// "keep-alive" changes nothing beside another.
/// </summary>
sealed class ConnectionWords : Encoding
{
    const string Persistent = "keep-alive";

    static readonly ConnectionWords Whole = new();

    /// <summary>The encoding of a request's header.</summary>
    public static Encoding For(string name) => name.Length == 10 && name.Equals("Connection", StringComparison.OrdinalIgnoreCase) ? Whole : Latin1;

    public override int GetCharCount(byte[] bytes, int index, int count) => Read(bytes.AsSpan(index, count)).Length;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        var text = Read(bytes.AsSpan(byteIndex, byteCount));
        text.CopyTo(0, chars, charIndex, text.Length);
        return text.Length;
    }

    public override int GetMaxCharCount(int byteCount) => byteCount + Persistent.Length + 2;

    public override int GetByteCount(char[] chars, int index, int count) => count;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => charCount;

    static string Read(ReadOnlySpan<byte> bytes)
    {
        var words = Latin1.GetString(bytes).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(word => !Is(word, Persistent)).ToList();
        if (words.Exists(word => Is(word, "close") || Is(word, "upgrade")))
            words.Add(Persistent);
        return string.Join(", ", words);
    }

    static bool Is(string word, string known) => word.Equals(known, StringComparison.OrdinalIgnoreCase);
}
