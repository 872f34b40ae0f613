namespace Centaur.ProxyConformance.Scenery;

/// <summary>Where a name of the scene leads to.</summary>
/// <param name="Host">The name.</param>
/// <param name="Port">The port that clients ask for.</param>
/// <param name="TargetPort">The port on 127.0.0.1.</param>
/// <param name="AuthorityPem">Who signs its certificate; null where the proxy is told of nobody.</param>
/// <param name="Plaintext">It speaks no TLS, whatever the client speaks.</param>
/// <param name="Secrets">Whether credentials may go there.</param>
sealed record Place(string Host, int Port, int TargetPort, string? AuthorityPem, bool Plaintext = false, bool Secrets = true);
