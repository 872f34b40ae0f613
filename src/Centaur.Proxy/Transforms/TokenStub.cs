using Centaur.Proxy.Policies;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Transforms;

/// <summary>
/// An endpoint at which a client would get a token for itself. It is answered here, with one that is worth nothing: the real one is put in on the way out, and a
/// client library that insists on asking first finds what it expects.
/// </summary>
/// <param name="Host">Canonical.</param>
/// <param name="Port">The client's port.</param>
/// <param name="Path">The exact path, or a prefix and a suffix with a star between them that stands for one segment.</param>
/// <param name="Metadata">True for Google's metadata server, which is asked by GET with <c>Metadata-Flavor: Google</c> and says the same
/// (https://cloud.google.com/compute/docs/metadata/querying-metadata).</param>
sealed record TokenStub(string Host, int Port, string Path, bool Metadata = false)
{
    public const string Token = "centaur-proxy-stub-token";

    const string Flavor = "Metadata-Flavor";

    public bool Covers(Authority target, string method, string path, IHeaderDictionary headers) =>
        target.Port == Port
        && (!Metadata || (method is "GET" or "HEAD" && headers[Flavor] == "Google"))
        && PathPattern.TryParse(Path, out var pattern) && pattern.Matches(path);

    public async Task Answer(HttpResponse response, CancellationToken cancellationToken)
    {
        response.Clear();
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        if (Metadata)
            response.Headers[Flavor] = "Google";
        var body = System.Text.Encoding.ASCII.GetBytes($$"""{"access_token":"{{Token}}","expires_in":3600,"token_type":"Bearer"}""");
        response.ContentLength = body.Length;
        if (response.HttpContext.Request.Method != "HEAD")
            await response.BodyWriter.WriteAsync(body, cancellationToken);
    }
}
