using System.Text;

namespace Centaur.Proxy.Postgres.Sql;

/// <summary>
/// Cuts a statement where Postgres cuts it (src/backend/parser/scan.l of PostgreSQL 15; documentation, "Lexical Structure"), under
/// <c>standard_conforming_strings = on</c>, which sessions here cannot leave, and an encoding whose bytes below 128 are ASCII. Works on bytes: Postgres counts every
/// byte from 128 on as a letter, and so does this. What it cannot read it says, and does not guess.
/// </summary>
sealed class SqlLexer
{
    /// <summary>Bounds the memory that a statement takes here: some twenty times its own.</summary>
    const int MostTokens = 1_000_000;

    const int LongestPlain = 64;

    readonly byte[] sql;
    readonly List<SqlToken> tokens = [];
    int at;

    SqlLexer(byte[] sql) => this.sql = sql;

    /// <summary>The tokens without space and comments, or null where the text cannot be read.</summary>
    public static IReadOnlyList<SqlToken>? Read(byte[] sql)
    {
        var lexer = new SqlLexer(sql);
        return lexer.Run() ? lexer.tokens : null;
    }

    bool Run()
    {
        while (true)
        {
            if (!SqlSpace.TrySkip(sql, ref at))
                return false;
            if (at == sql.Length)
                return true;
            if (tokens.Count == MostTokens || !TryToken())
                return false;
        }
    }

    bool TryToken()
    {
        var start = at;
        var first = sql[at];
        var second = at + 1 < sql.Length ? sql[at + 1] : (byte)0;
        switch (first)
        {
            case (byte)'\'':
                return TryText(start, 0);
            case (byte)'e' or (byte)'E' or (byte)'b' or (byte)'B' or (byte)'x' or (byte)'X' or (byte)'n' or (byte)'N' when second == '\'':
                return TryText(start, 1);
            case (byte)'u' or (byte)'U' when second == '&' && at + 2 < sql.Length && sql[at + 2] is (byte)'\'' or (byte)'"':
                return sql[at + 2] == '\'' ? TryText(start, 2) : TryName(start, 2);
            case (byte)'"':
                return TryName(start, 0);
            case (byte)'$':
                return TryDollar(start);
        }

        if (IsLetter(first))
        {
            while (at < sql.Length && (IsLetter(sql[at]) || char.IsAsciiDigit((char)sql[at]) || sql[at] == '$'))
                at++;
            Add(SqlTokenKind.Word, start, Encoding.Latin1.GetString(sql, start, at - start).ToLowerInvariant());
            return true;
        }

        if (char.IsAsciiDigit((char)first))
        {
            // No exponent and no hexadecimal: what follows becomes a word of its own, as it does in Postgres before version 15.
            while (at < sql.Length && (char.IsAsciiDigit((char)sql[at]) || sql[at] == '.'))
                at++;
            Add(SqlTokenKind.Number, start, "");
            return true;
        }

        at++;
        tokens.Add(new SqlToken(SqlTokenKind.Symbol, start, at, "", (char)first));
        return first is not (0 or (byte)'\\');
    }

    bool TryText(int start, int prefix)
    {
        if (!SqlText.TryRead(sql, start, prefix, output: null, out at))
            return false;
        Add(SqlTokenKind.Text, start, prefix == 0 ? Plain(sql.AsSpan(start + 1, at - start - 2)) : "");
        return true;
    }

    static string Plain(ReadOnlySpan<byte> value) =>
        value.Length <= LongestPlain && !value.Contains((byte)'\'') && Ascii.IsValid(value) ? Encoding.ASCII.GetString(value).ToLowerInvariant() : "";

    bool TryName(int start, int prefix)
    {
        var name = new MemoryStream();
        if (!SqlText.TryRead(sql, start, prefix, name, out at) || name.Length == 0)
            return false;
        Add(SqlTokenKind.QuotedName, start, Encoding.Latin1.GetString(name.GetBuffer(), 0, (int)name.Length).ToLowerInvariant());
        return true;
    }

    /// <summary><c>$tag$…$tag$</c>, the parameter <c>$1</c>, or a lone dollar.</summary>
    bool TryDollar(int start)
    {
        at++;
        if (at < sql.Length && char.IsAsciiDigit((char)sql[at]))
        {
            while (at < sql.Length && char.IsAsciiDigit((char)sql[at]))
                at++;
            Add(SqlTokenKind.Number, start, "");
            return true;
        }

        if (SqlText.DollarTag(sql, start) is not { } length)
        {
            tokens.Add(new SqlToken(SqlTokenKind.Symbol, start, at, "", '$'));
            return true;
        }

        var close = sql.AsSpan(start + length).IndexOf(sql.AsSpan(start, length));
        if (close < 0)
            return false;
        at = start + length + close + length;
        Add(SqlTokenKind.Text, start, "");
        return true;
    }

    void Add(SqlTokenKind kind, int start, string name) => tokens.Add(new SqlToken(kind, start, at, name, '\0'));

    internal static bool IsLetter(byte value) => char.IsAsciiLetter((char)value) || value is (byte)'_' or >= 128;
}
