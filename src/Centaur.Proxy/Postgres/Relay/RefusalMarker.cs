using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Centaur.Proxy.Postgres.Sql;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Relay;

/// <summary>
/// How a refusal finds its place among the answers. In place of a refused statement the upstream is sent one word that is no SQL, and answers with a syntax error that quotes it;
/// that error is replaced by ours on its way back. So everything around it is the server's own doing: the order of answers, a transaction that is now failed, the
/// messages up to Sync that are discarded, the status in ReadyForQuery.
/// <para>The word holds a number that is random for the session; a client that learns it (from pg_stat_activity) can do no more than refuse itself.</para>
/// </summary>
sealed class RefusalMarker
{
    readonly string word = "centaur_refused_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12)) + "_";
    readonly byte[] bytes;

    public RefusalMarker() => bytes = Encoding.ASCII.GetBytes(word);

    public string For(RefusalReason reason) => word + ((int)reason).ToString("00", CultureInfo.InvariantCulture);

    /// <summary>The error to send in place of the upstream's, or null where that is no answer to a marker.</summary>
    public byte[]? Replace(ReadOnlySpan<byte> error)
    {
        var found = error.IndexOf(bytes);
        if (found < 0 || error.Length < found + bytes.Length + 2)
            return null;
        if (!int.TryParse(error.Slice(found + bytes.Length, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        var (state, message, hint) = RefusalTexts.Of((RefusalReason)number);
        return WireMessage.Error("ERROR", state, message, hint);
    }
}
