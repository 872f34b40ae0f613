using Centaur.Proxy.Front;

namespace Centaur.Proxy.Transforms;

/// <summary>The texts of what transforms refuse.</summary>
static class TransformRefusals
{
    public static Refusal Cleartext(string secret, string host) => new(
        403, RefusalCodes.CredentialInCleartext, $"Requests to {host} are given a credential (secret \"{secret}\"), which would travel in clear text.", "Use https.");

    public static Refusal NotMapped(string secret, string host) => new(
        403, RefusalCodes.CredentialNotMapped, $"{host} is mapped to an address, and its entry does not name secret \"{secret}\", which the request would carry.",
        "An operator must add the secret to \"secrets\" of that entry of the map, or take the transform away.");

    public static Refusal Token(string token, string reason) => new(
        502, RefusalCodes.TokenUnavailable, $"No access token could be had for {token}, so the request was not sent: {reason}.",
        "Try again in a moment; if it stays, an operator must look at the credentials behind it.");

    public static Refusal KeyUnusable(string secret, string encoding) => new(
        503, RefusalCodes.SecretUnusable, $"The value of secret \"{secret}\" is not {encoding}, as the signature's key_encoding says.", "An operator must set the secret again.");

    public static Refusal BodyTooLarge(long most) => new(
        413, RefusalCodes.BodyTooLarge, $"The body must be signed whole, and it is larger than {most} bytes.",
        "Send less at once, or ask an operator to raise proxy.max_request_body_bytes.");

    public static Refusal Chunked() => new(
        400, RefusalCodes.ChunkedBodyNotAllowed, "The request must be signed, and its body is sent in chunks without a length.", "Send it with a Content-Length.");
}
