using System.Text;

namespace Centaur.Protocol.Policy.Templates;

/// <summary>
/// The part of Go's <c>printf</c> that these templates need: <c>%s</c> and <c>%v</c> for anything, <c>%d</c> for numbers, <c>%x</c> for bytes in hexadecimal,
/// <c>%%</c>. The format is a literal, so that it is checked at the start and not on a request.
/// </summary>
internal static class TemplateFormat
{
    public static string? Problem(IReadOnlyList<TemplateNode> arguments)
    {
        if (arguments[0] is not LiteralNode { Numeric: false } format)
            return "the format of printf must be a text in quotes";
        var used = 0;
        for (var i = 0; i < format.Text.Length; i++)
        {
            if (format.Text[i] != '%')
                continue;
            var verb = ++i < format.Text.Length ? format.Text[i] : ' ';
            if (verb == '%')
                continue;
            if (verb is not ('s' or 'v' or 'd' or 'x'))
                return $"printf knows %s, %v, %d, %x and %% here, not %{verb}";
            if (++used >= arguments.Count)
                return $"printf has no argument for its %{verb}";
            if (verb == 'd' && !arguments[used].IsNumber)
                return "%d of printf needs a number";
        }

        return used == arguments.Count - 1 ? null : "printf has more arguments than its format uses";
    }

    public static string Apply(string[] values)
    {
        var text = new StringBuilder();
        var used = 0;
        var format = values[0];
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }

            i++;
            text.Append(format[i] switch
            {
                '%' => "%",
                'x' => Convert.ToHexStringLower(Encoding.Latin1.GetBytes(values[++used])),
                _ => values[++used],
            });
        }

        return text.ToString();
    }
}
