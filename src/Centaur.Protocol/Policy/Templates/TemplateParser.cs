namespace Centaur.Protocol.Policy.Templates;

/// <summary>
/// Reads one action, from behind its <c>{{</c> to behind its <c>}}</c>.
/// <para>A pipeline is commands between bars; the outcome of one is the last argument of the next. A command is a function with its arguments, or one value.</para>
/// </summary>
internal sealed class TemplateParser(string text, int start, IReadOnlyCollection<string> known, HashSet<string> fields)
{
    public static readonly char[] Blank = [' ', '\t', '\r', '\n'];

    static readonly string[] Control =
        ["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "nil", "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge"];

    int position = start;

    public int Position => position;

    /// <summary>True where the action ended with <c>-}}</c>: blanks behind it are dropped.</summary>
    public bool TrimsAfter { get; private set; }

    /// <summary>The action, or null for a comment.</summary>
    public TemplateNode? ReadAction()
    {
        SkipBlanks();
        if (At("/*"))
        {
            var end = text.IndexOf("*/", position, StringComparison.Ordinal);
            position = end < 0 ? throw Wrong("the comment has no end") : end + 2;
            Close();
            return null;
        }

        var node = Pipeline();
        Close();
        return node;
    }

    TemplateNode Pipeline()
    {
        TemplateNode? piped = null;
        do
        {
            SkipBlanks();
            piped = Command(piped);
            SkipBlanks();
        }
        while (Take('|'));
        return piped;
    }

    TemplateNode Command(TemplateNode? piped)
    {
        var from = position;
        if (position < text.Length && char.IsAsciiLetter(text[position]))
        {
            var name = Word();
            var function = TemplateFunction.Find(name) ?? throw new TemplateException(from, Unknown(name));
            var arguments = new List<TemplateNode>();
            for (SkipBlanks(); TryOperand(out var argument); SkipBlanks())
                arguments.Add(argument);
            if (piped is not null)
                arguments.Add(piped);
            return function.Problem(arguments) is { } problem ? throw new TemplateException(from, problem) : new CallNode(function, [.. arguments]);
        }

        if (!TryOperand(out var value))
            throw Wrong(position >= text.Length ? "the action has no end: \"}}\" is missing" : "a field, a function or a text was expected");
        if (piped is not null)
            throw new TemplateException(from, "only a function can stand behind a bar");
        SkipBlanks();
        return TryOperand(out _) ? throw new TemplateException(from, "a value cannot be called with arguments") : value;
    }

    bool TryOperand(out TemplateNode node)
    {
        node = null!;
        if (position >= text.Length)
            return false;
        switch (text[position])
        {
            case '.':
                node = Field();
                return true;
            case '"' or '`':
                node = new LiteralNode(TextTemplate.Bytes(Quoted(text[position])), Numeric: false);
                return true;
            case '(':
                position++;
                node = Pipeline();
                return Take(')') ? true : throw Wrong("\")\" is missing");
            case var digit when char.IsAsciiDigit(digit) || (digit == '-' && position + 1 < text.Length && char.IsAsciiDigit(text[position + 1])):
                var from = position++;
                while (position < text.Length && char.IsAsciiDigit(text[position]))
                    position++;
                node = new LiteralNode(text[from..position], Numeric: true);
                return true;
            case '$':
                throw Wrong("variables are not supported in these templates");
            case var letter when char.IsAsciiLetter(letter):
                throw Wrong($"a call inside of another stands in parentheses: ({Word()} …)");
            default:
                return false;
        }
    }

    FieldNode Field()
    {
        var from = position;
        while (position < text.Length && (text[position] is '.' or '_' || char.IsAsciiLetterOrDigit(text[position])))
            position++;
        var path = text[(from + 1)..position];
        if (!known.Contains(path))
            throw new TemplateException(from, $"there is no field \".{path}\" here; known are {string.Join(", ", known.Select(field => "." + field))}");
        fields.Add(path);
        return new FieldNode(path);
    }

    string Quoted(char quote)
    {
        var from = position++;
        var value = new System.Text.StringBuilder();
        for (; position < text.Length && text[position] != quote; position++)
        {
            if (text[position] != '\\' || quote == '`')
            {
                value.Append(text[position]);
                continue;
            }

            position++;
            value.Append((position < text.Length ? text[position] : ' ') switch
            {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '\\' => '\\',
                '"' => '"',
                var other => throw Wrong($"\"\\{other}\" is not an escape that these templates know; they know \\n, \\r, \\t, \\\\ and \\\""),
            });
        }

        if (position >= text.Length)
            throw new TemplateException(from, "the text in quotes has no end");
        position++;
        return value.ToString();
    }

    string Word()
    {
        var from = position;
        while (position < text.Length && (text[position] == '_' || char.IsAsciiLetterOrDigit(text[position])))
            position++;
        return text[from..position];
    }

    void Close()
    {
        SkipBlanks();
        if (At("-}}") && Blank.Contains(text[position - 1]))
        {
            TrimsAfter = true;
            position += 3;
            return;
        }

        if (!At("}}"))
            throw Wrong(position >= text.Length ? "the action has no end: \"}}\" is missing" : $"\"{text[position]}\" was not expected");
        position += 2;
    }

    void SkipBlanks()
    {
        while (position < text.Length && Blank.Contains(text[position]))
            position++;
    }

    bool Take(char sign)
    {
        if (position >= text.Length || text[position] != sign)
            return false;
        position++;
        return true;
    }

    bool At(string sign) => string.CompareOrdinal(text, position, sign, 0, sign.Length) == 0;

    TemplateException Wrong(string problem) => new(position, problem);

    static string Unknown(string name) => Control.Contains(name)
        ? $"\"{name}\" is not supported in these templates"
        : $"there is no function \"{name}\" here; known are {string.Join(", ", TemplateFunction.Names)}";
}
