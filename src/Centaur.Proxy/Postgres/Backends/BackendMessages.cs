using System.Buffers;
using System.Text;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Backends;

/// <summary>What is read out of an upstream's messages.</summary>
static class BackendMessages
{
    static readonly SearchValues<byte> StateLetters = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    public static (string Name, string Value) Parameter(ReadOnlySpan<byte> body)
    {
        var end = body.IndexOf((byte)0);
        if (end < 0 || body.IsEmpty || body[^1] != 0 || end + 1 >= body.Length)
            return ("", "");
        return (Encoding.UTF8.GetString(body[..end]), Encoding.UTF8.GetString(body[(end + 1)..^1]));
    }

    /// <summary>An error of the upstream before the session stands: its code, and no word of its text, which an upstream could fill with what it was told.</summary>
    public static PostgresFault Refused(ReadOnlySpan<byte> body, string what)
    {
        var state = SqlState(body);
        return new PostgresFault(state, $"{what} ({state}).", "upstream_refused") { Hint = "The operator finds the reason in the log of the database server." };
    }

    static string SqlState(ReadOnlySpan<byte> body)
    {
        while (body.Length > 1)
        {
            var end = body.IndexOf((byte)0);
            if (end < 0)
                break;
            if (body[0] == 'C' && end == 6 && !body[1..6].ContainsAnyExcept(StateLetters))
                return Encoding.ASCII.GetString(body[1..6]);
            body = body[(end + 1)..];
        }

        return SqlStates.ConnectionFailure;
    }
}
