using System.Buffers;
using System.Text;
using Centaur.Proxy.Scanning;
using Centaur.Proxy.Secrets;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Scanning;

public sealed class StreamReplacerTests
{
    // A small alphabet and needles that overlap, nest and repeat: where splits hurt.
    static readonly ScanModel Model = new(
        new[] { "aab", "aabc", "ba", "abcabcabd", "cc" }.Select(text => new Needle(text, Encoding.ASCII.GetBytes(text), Encoding.ASCII.GetBytes($"<{text.Length}>"))));

    [Fact]
    public void The_output_is_the_same_for_every_split_of_the_input()
    {
        var bytes = Gen.ArrayOf(Gen.Elements((byte)'a', (byte)'b', (byte)'c', (byte)'d'));
        var cuts = Gen.ArrayOf(Gen.Choose(0, 7));

        Prop.ForAll(bytes.ToArbitrary(), cuts.ToArbitrary(), (input, lengths) => Run(input, lengths) == Run(input, [])).QuickCheckThrowOnFailure();
        Prop.ForAll(bytes.ToArbitrary(), input => Run(input, Enumerable.Repeat(1, input.Length).ToArray()) == Reference(input)).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("nothing here", 0)]
    [InlineData("ends in a", 1)]
    [InlineData("ends in abcabcab", 8)]
    public void Nothing_is_held_back_but_what_could_become_a_needle(string text, int held)
    {
        using var replacer = new StreamReplacer(Model);
        var output = new ArrayBufferWriter<byte>();

        replacer.Push(Encoding.ASCII.GetBytes(text), last: false, output);

        output.WrittenCount.ShouldBe(text.Length - held);
    }

    [Fact]
    public void P18_a_value_is_found_in_every_form_that_an_upstream_may_give_it()
    {
        const string value = "p@ss/w\"ord+0123é";
        var model = ScanModel.For([(new Secret("X", Encoding.UTF8.GetBytes(value)), "PLACEHOLDER")])!;
        string[] forms =
        [
            value,
            Uri.EscapeDataString(value),
            Uri.EscapeDataString(value).ToLowerInvariant().Replace("p%40ss", "p%40ss", StringComparison.Ordinal),
            System.Text.Json.JsonSerializer.Serialize(value, TestJson.Default.String)[1..^1],
            "p@ss\\/w\\\"ord+0123é",
            .. new[] { "", "u:", "me:", "you:" }.Select(user => Convert.ToBase64String(Encoding.UTF8.GetBytes(user + value))),
            Convert.ToBase64String(Encoding.UTF8.GetBytes(value)).Replace('+', '-').Replace('/', '_'),
        ];

        foreach (var form in forms)
        {
            var text = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes($"before {form} after"));
            long scrubbed = 0;
            model.Clean(text, ref scrubbed).ShouldContain("PLACEHOLDER", customMessage: form);
            scrubbed.ShouldBe(1);
        }
    }

    static string Run(byte[] input, int[] lengths)
    {
        using var replacer = new StreamReplacer(Model);
        var output = new ArrayBufferWriter<byte>();
        var rest = input.AsSpan();
        foreach (var length in lengths)
        {
            var piece = Math.Min(length, rest.Length);
            replacer.Push(rest[..piece], last: false, output);
            rest = rest[piece..];
        }

        replacer.Push(rest, last: true, output);
        return Encoding.ASCII.GetString(output.WrittenSpan);
    }

    /// <summary>The definition, without streaming: from left to right, the longest needle at each place.</summary>
    static string Reference(byte[] input)
    {
        var text = Encoding.ASCII.GetString(input);
        var output = new StringBuilder();
        for (var i = 0; i < text.Length;)
        {
            var needle = Model.Needles.FirstOrDefault(needle => text.AsSpan(i).StartsWith(needle.Text));
            output.Append(needle is null ? text[i].ToString() : $"<{needle.Text.Length}>");
            i += needle?.Text.Length ?? 1;
        }

        return output.ToString();
    }
}
