namespace Centaur.Proxy.Postgres.Sql;

/// <summary>What stands between tokens: space, comments to the end of a line, and comments in comments.</summary>
static class SqlSpace
{
    /// <summary>False where a comment has no end.</summary>
    public static bool TrySkip(ReadOnlySpan<byte> sql, ref int at)
    {
        while (at < sql.Length)
        {
            if (IsSpace(sql[at]))
                at++;
            else if (sql[at..].StartsWith("--"u8))
                SkipLine(sql, ref at);
            else if (!sql[at..].StartsWith("/*"u8))
                return true;
            else if (!TrySkipBlock(sql, ref at))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Moves to the quote of a string that goes on: after a line end, and nothing else but space and line comments, it is the same string
    /// (documentation, "String Constants").
    /// </summary>
    public static bool TryContinue(ReadOnlySpan<byte> sql, ref int at)
    {
        var look = at;
        var sawLineEnd = false;
        while (look < sql.Length)
        {
            if (IsSpace(sql[look]))
                sawLineEnd |= sql[look++] is (byte)'\n' or (byte)'\r';
            else if (sql[look..].StartsWith("--"u8))
                SkipLine(sql, ref look);
            else
                break;
        }

        if (!sawLineEnd || look == sql.Length || sql[look] != '\'')
            return false;
        at = look;
        return true;
    }

    // A vertical tab is space from version 16 on and an error before.
    static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f' or (byte)'\v';

    static void SkipLine(ReadOnlySpan<byte> sql, ref int at)
    {
        var end = sql[at..].IndexOfAny((byte)'\n', (byte)'\r');
        at = end < 0 ? sql.Length : at + end;
    }

    static bool TrySkipBlock(ReadOnlySpan<byte> sql, ref int at)
    {
        var depth = 0;
        while (at < sql.Length)
        {
            if (sql[at..].StartsWith("/*"u8))
                (depth, at) = (depth + 1, at + 2);
            else if (sql[at..].StartsWith("*/"u8))
                (depth, at) = (depth - 1, at + 2);
            else
                at++;
            if (depth == 0)
                return true;
        }

        return false;
    }
}
