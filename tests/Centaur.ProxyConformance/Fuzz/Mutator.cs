namespace Centaur.ProxyConformance.Fuzz;

/// <summary>Changes good texts a little: what is almost right is what two parsers read in two ways.</summary>
sealed class Mutator(Random random, string[] seeds, string[] words)
{
    public string Next()
    {
        var text = seeds[random.Next(seeds.Length)];
        for (var changes = random.Next(1, 5); changes > 0 && text.Length > 0; changes--)
            text = Change(text);
        return text;
    }

    /// <summary>The text in pieces of random lengths.</summary>
    public List<string> Split(string text, int most)
    {
        var cuts = Enumerable.Range(0, random.Next(1, most)).Select(_ => random.Next(text.Length)).Append(text.Length).Distinct().Order().ToList();
        return [.. cuts.Select((cut, index) => text[(index == 0 ? 0 : cuts[index - 1])..cut]).Where(piece => piece.Length > 0)];
    }

    string Change(string text)
    {
        var at = random.Next(text.Length);
        var end = Math.Min(text.Length, at + random.Next(1, 20));
        return random.Next(8) switch
        {
            0 => text[..at] + (char)random.Next(256) + text[(at + 1)..],
            1 => text[..at] + text[end..],
            2 => text[..at] + text[at..end] + text[at..],
            3 => text[..at] + words[random.Next(words.Length)] + text[at..],
            4 => text[..at] + words[random.Next(words.Length)] + text[end..],
            5 => text[..at],
            6 => text + seeds[random.Next(seeds.Length)],
            _ => text[..at] + new string((char)random.Next(1, 256), random.Next(1, 3000)) + text[at..],
        };
    }
}
