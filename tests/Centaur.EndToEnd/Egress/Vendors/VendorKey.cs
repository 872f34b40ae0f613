using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Vendors;

/// <summary>The real key of a vendor, and the vendor's own check of it: whoever does not carry it gets 401, so a placeholder that slips through fails the client.</summary>
/// <param name="Secret">The secret's name, which is the variable that holds its placeholder in a jail.</param>
/// <param name="User">Who logs in with it by Basic; null where it is a Bearer token.</param>
internal sealed record VendorKey(string Secret, string? User = null)
{
    /// <summary>Random, so that a search for it means something.</summary>
    public string Value { get; } = "vk-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));

    /// <summary>What the vendor must read in <c>Authorization</c>.</summary>
    public string Authorization => User is null ? "Bearer " + Value : "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes($"{User}:{Value}"));

    public RequestDelegate Guard(RequestDelegate inner) => context =>
    {
        if (context.Request.Headers.Authorization == Authorization)
            return inner(context);
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = User is null ? "Bearer" : "Basic realm=\"vendor\"";
        return context.Response.WriteAsync("who are you?");
    };

    public override string ToString() => Secret;
}
