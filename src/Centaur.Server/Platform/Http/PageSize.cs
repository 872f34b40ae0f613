using System.Globalization;

namespace Centaur.Server.Platform.Http;

/// <summary>How many rows a caller wants: the query parameter <c>limit</c>.</summary>
internal static class PageSize
{
    /// <param name="limit">As it came; null where it did not.</param>
    /// <param name="fallback">What is given then.</param>
    /// <param name="most">What may be asked for.</param>
    /// <returns>The number, or 422.</returns>
    public static Outcome<int> Of(string? limit, int fallback, int most)
    {
        if (limit is null)
            return fallback;
        return int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
            ? number
            : ApiFailure.Invalid([new FieldError(["query", "limit"], $"limit must be a whole number from 1 to {most}", "value_error")]);
    }
}
