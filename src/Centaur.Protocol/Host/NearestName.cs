namespace Centaur.Protocol.Host;

/// <summary>Finds the name that somebody probably meant, by the number of letters to change.</summary>
public static class NearestName
{
    const int FarthestTypo = 2;

    /// <summary>The nearest of the known names where it is a typing error away, else null: a far name would be a guess.</summary>
    public static string? Near(string name, IEnumerable<string> known) =>
        Of(name, known) is { } nearest && Distance(name, nearest) <= FarthestTypo ? nearest : null;

    /// <summary>The nearest of the known names, the first of equals; null when none is known.</summary>
    public static string? Of(string name, IEnumerable<string> known) => known.MinBy(candidate => Distance(name, candidate));

    /// <summary>Levenshtein's distance, letters of either case alike.</summary>
    public static int Distance(string from, string to)
    {
        var row = new int[to.Length + 1];
        for (var j = 0; j <= to.Length; j++)
            row[j] = j;

        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var above = row[j];
                var change = char.ToUpperInvariant(from[i - 1]) == char.ToUpperInvariant(to[j - 1]) ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + change);
                diagonal = above;
            }
        }

        return row[to.Length];
    }
}
