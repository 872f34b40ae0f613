using System.Text;

namespace Centaur.Protocol.Policy.Templates;

/// <summary>
/// A template of Go's <c>text/template</c> (https://pkg.go.dev/text/template), as iron-proxy's file has them, without control structures: text, fields, literals,
/// pipes, parentheses, trim markers, comments and the functions of <see cref="TemplateFunction"/>. Everything is checked when it is read, against the fields that
/// there will be; afterwards it cannot fail.
/// </summary>
public sealed class TextTemplate
{
    readonly TemplateNode[] nodes;

    TextTemplate(TemplateNode[] nodes, IReadOnlySet<string> fields) => (this.nodes, Fields) = (nodes, fields);

    /// <summary>The fields that it reads, without their leading dot.</summary>
    public IReadOnlySet<string> Fields { get; }

    /// <param name="text">The template.</param>
    /// <param name="known">The fields that may be read, without their leading dot.</param>
    /// <param name="template">The template, where it can be used.</param>
    /// <param name="problem">Why it cannot, and where.</param>
    public static bool TryParse(string text, IReadOnlyCollection<string> known, out TextTemplate template, out string problem)
    {
        try
        {
            var fields = new HashSet<string>(StringComparer.Ordinal);
            template = new TextTemplate(Read(text, known, fields), fields);
            problem = "";
            return true;
        }
        catch (TemplateException fault)
        {
            template = new TextTemplate([], new HashSet<string>());
            problem = fault.Message;
            return false;
        }
    }

    /// <summary>The text with every field put in: one character a byte, as <paramref name="fields"/> gives them.</summary>
    public string Render(Func<string, string> fields) => string.Concat(nodes.Select(node => node.Evaluate(fields)));

    static TemplateNode[] Read(string text, IReadOnlyCollection<string> known, HashSet<string> fields)
    {
        var read = new List<TemplateNode>();
        var at = 0;
        var trimStart = false;
        while (true)
        {
            var open = text.IndexOf("{{", at, StringComparison.Ordinal);
            var literal = open < 0 ? text[at..] : text[at..open];
            var trimEnd = open >= 0 && IsMarker(text, open + 2, open + 3);
            literal = trimStart ? literal.TrimStart(TemplateParser.Blank) : literal;
            literal = trimEnd ? literal.TrimEnd(TemplateParser.Blank) : literal;
            if (literal.Length > 0)
                read.Add(new LiteralNode(Bytes(literal), Numeric: false));
            if (open < 0)
                return [.. read];

            var parser = new TemplateParser(text, trimEnd ? open + 3 : open + 2, known, fields);
            if (parser.ReadAction() is { } node)
                read.Add(node);
            (at, trimStart) = (parser.Position, parser.TrimsAfter);
        }
    }

    /// <summary>A minus sign is a marker only beside a space, so that <c>{{-3}}</c> stays a number.</summary>
    static bool IsMarker(string text, int minus, int blank) =>
        minus < text.Length && text[minus] == '-' && blank < text.Length && TemplateParser.Blank.Contains(text[blank]);

    /// <summary>The file's text as its UTF-8 bytes, one character each.</summary>
    public static string Bytes(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
