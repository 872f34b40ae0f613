namespace Centaur.Proxy.Postgres.Sql;

enum SqlTokenKind
{
    /// <summary>A key word or a name without quotes.</summary>
    Word,

    /// <summary>A name in double quotes, its escapes read.</summary>
    QuotedName,

    /// <summary>A string in any of its forms; bit strings too.</summary>
    Text,

    Number,

    /// <summary>One character that is none of the above; an operator is several of them.</summary>
    Symbol,
}

/// <param name="Kind">What it is.</param>
/// <param name="Start">Where it begins in the statement's bytes.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Name">For words and quoted names: the name in lower case, so that no spelling of it is missed. For a short string without quotes or escapes in it: its value in
/// lower case. Empty otherwise.</param>
/// <param name="Symbol">For symbols.</param>
readonly record struct SqlToken(SqlTokenKind Kind, int Start, int End, string Name, char Symbol)
{
    /// <summary>True for the key word itself; a quoted name is never one.</summary>
    public bool Is(string keyword) => Kind == SqlTokenKind.Word && Name == keyword;

    public bool Is(char symbol) => Kind == SqlTokenKind.Symbol && Symbol == symbol;

    public bool IsName => Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName;

    public bool IsText => Kind == SqlTokenKind.Text;
}
