using Centaur.Protocol.Policy.Templates;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Transforms;

public sealed class TemplateTests
{
    static readonly string[] Known = ["Value", "Method", "Credentials.id"];

    [Theory]
    [InlineData("", "")]
    [InlineData("plain } text", "plain } text")]
    [InlineData("{{.Value}}", "s3:cret/ä")]
    [InlineData("Bearer {{ .Value }}", "Bearer s3:cret/ä")]
    [InlineData("{{ .Method }} {{ .Credentials.id }}", "GET ID")]
    [InlineData("a  {{- .Method -}}  b", "aGETb")]
    [InlineData("a  {{- /* why */ -}}\n b", "ab")]
    [InlineData("{{/* why */}}x", "x")]
    [InlineData("{{ base64 .Value }}", "czM6Y3JldC/DpA==")]
    [InlineData("{{ .Value | b64enc }}", "czM6Y3JldC/DpA==")]
    [InlineData("{{ .Value | base64url }}", "czM6Y3JldC_DpA")]
    [InlineData("{{ hex .Method }}", "474554")]
    [InlineData("{{ .Method | lower | upper }}{{ lower .Method }}", "GETget")]
    [InlineData("{{ urlquery .Value \" &\" }}", "s3%3Acret%2F%C3%A4+%26")]
    [InlineData("{{ printf \"%s:%d%% %x\" .Method 42 .Method }}", "GET:42% 474554")]
    [InlineData("{{ printf \"u:%s\" .Value | base64 }}", "dTpzMzpjcmV0L8Ok")]
    [InlineData("{{ printf \"%s|%s\" (lower .Method) \"q\\\"\\n\" }}", "get|q\"\n")]
    [InlineData("{{ `raw \\n` }}", "raw \\n")]
    [InlineData("{{ printf \"%d\" (len .Method) }}{{ -3 }}{{- 4 -}}", "3-34")]
    [InlineData("{{ print .Method \"-\" 7 }}", "GET-7")]
    [InlineData("{{ \"  x \" | trim }}", "x")]
    [InlineData("{{ sha256sum .Method }}", "14e30cd163c732912e048c4c837e15c4e90c062ebb795ab947d57706e2d10dd8")]
    public void A_template_becomes_its_text(string template, string expected)
    {
        TextTemplate.TryParse(template, Known, out var parsed, out var problem).ShouldBeTrue(problem);

        var text = parsed.Render(field => field switch { "Value" => TextTemplate.Bytes("s3:cret/ä"), "Method" => "GET", _ => "ID" });

        text.ShouldBe(TextTemplate.Bytes(expected));
    }

    [Theory]
    [InlineData("{{ .Velue }}", "at character 4", "no field \".Velue\"", ".Value")]
    [InlineData("{{ .Credentials.other }}", "no field \".Credentials.other\"")]
    [InlineData("{{ . }}", "no field")]
    [InlineData("x {{ rot13 .Value }}", "at character 6", "no function \"rot13\"", "base64")]
    [InlineData("{{ if .Value }}x{{ end }}", "\"if\" is not supported")]
    [InlineData("{{ $x }}", "variables are not supported")]
    [InlineData("{{ .Value", "\"}}\" is missing")]
    [InlineData("{{ }}", "was expected")]
    [InlineData("{{ .Value | .Method }}", "only a function")]
    [InlineData("{{ .Value .Method }}", "cannot be called")]
    [InlineData("{{ base64 }}", "one argument, not 0")]
    [InlineData("{{ base64 lower .Value }}", "stands in parentheses")]
    [InlineData("{{ \"open }}", "has no end")]
    [InlineData("{{ (lower .Value }}", "\")\" is missing")]
    [InlineData("{{ printf .Value }}", "must be a text in quotes")]
    [InlineData("{{ printf \"%d\" .Value }}", "needs a number")]
    [InlineData("{{ printf \"%q\" .Value }}", "not %q")]
    [InlineData("{{ printf \"%s %s\" .Value }}", "no argument for its %s")]
    [InlineData("{{ printf \"x\" .Value }}", "more arguments")]
    [InlineData("{{ printf \"50%\" }}", "not % ")]
    public void What_is_wrong_with_a_template_is_said_with_its_place(string template, params string[] said)
    {
        TextTemplate.TryParse(template, Known, out _, out var problem).ShouldBeFalse();

        foreach (var part in said)
            problem.ShouldContain(part);
    }
}
