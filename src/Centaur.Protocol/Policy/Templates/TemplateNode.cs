namespace Centaur.Protocol.Policy.Templates;

/// <summary>A piece of a template, checked when it was read: nothing that it does can fail on a request. Texts hold one character a byte (Latin-1).</summary>
internal abstract record TemplateNode
{
    /// <summary>True where the outcome is a number, which <c>%d</c> asks for.</summary>
    public virtual bool IsNumber => false;

    public abstract string Evaluate(Func<string, string> fields);
}

internal sealed record LiteralNode(string Text, bool Numeric) : TemplateNode
{
    public override bool IsNumber => Numeric;

    public override string Evaluate(Func<string, string> fields) => Text;
}

/// <param name="Path">The field without its leading dot: <c>Value</c>, or <c>Credentials.key</c>.</param>
internal sealed record FieldNode(string Path) : TemplateNode
{
    public override string Evaluate(Func<string, string> fields) => fields(Path);
}

internal sealed record CallNode(TemplateFunction Function, TemplateNode[] Arguments) : TemplateNode
{
    public override bool IsNumber => Function.GivesNumber;

    public override string Evaluate(Func<string, string> fields)
    {
        var values = new string[Arguments.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = Arguments[i].Evaluate(fields);
        return Function.Apply(values);
    }
}
