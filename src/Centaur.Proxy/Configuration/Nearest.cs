namespace Centaur.Proxy.Configuration;

/// <summary>Finds the known name that was probably meant.</summary>
static class Nearest
{
    public static string? Of(string text, IEnumerable<string> known) =>
        known.Select(name => (Name: name, Distance: Distance(text, name)))
            .Where(candidate => candidate.Distance <= Math.Max(2, text.Length / 2))
            .OrderBy(candidate => candidate.Distance)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();

    /// <summary>Letters to insert, delete or replace (Levenshtein).</summary>
    static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
