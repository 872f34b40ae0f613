namespace Centaur.Proxy.Front;

/// <summary>The closed vocabulary of what a client is told in <c>X-Centaur-Denied</c>.</summary>
static class RefusalCodes
{
    public const string BadRequest = "bad_request";
    public const string HeadTooLarge = "head_too_large";
    public const string HostNotAllowed = "host_not_allowed";
    public const string PortNotAllowed = "port_not_allowed";
    public const string RouteNotAllowed = "route_not_allowed";
    public const string AuthorityMismatch = "authority_mismatch";
    public const string PathAmbiguous = "path_ambiguous";
    public const string UpgradeNotAllowed = "upgrade_not_allowed";
    public const string UpgradeNotVerified = "upgrade_not_verified";
    public const string ProtocolNotAllowed = "protocol_not_allowed";
    public const string SniMismatch = "sni_mismatch";
    public const string PlaceholderNotBound = "placeholder_not_bound";
    public const string PlaceholderInCleartext = "placeholder_in_cleartext";
    public const string SecretUnavailable = "secret_unavailable";
    public const string SecretUnusable = "secret_unusable";
    public const string CredentialInCleartext = "credential_in_cleartext";
    public const string CredentialNotMapped = "credential_not_mapped";
    public const string TokenUnavailable = "token_unavailable";
    public const string BodyTooLarge = "body_too_large";
    public const string ChunkedBodyNotAllowed = "chunked_body_not_allowed";
    public const string TooManyConnections = "too_many_connections";
    public const string TooManyRequests = "too_many_requests";
    public const string TooManyHosts = "too_many_hosts";
    public const string AuditUnavailable = "audit_unavailable";
    public const string AddressProhibited = "destination_ip_prohibited";
    public const string NameNotResolved = "dns_error";
    public const string ConnectFailed = "connection_refused";
    public const string ConnectTimedOut = "connection_timeout";
    public const string AnswerTimedOut = "http_response_timeout";
    public const string AnswerTooLarge = "response_too_large";
    public const string UpstreamTlsFailed = "tls_error";
    public const string UpstreamBroke = "upstream_failed";
    public const string EncodingNotScannable = "response_encoding_not_scannable";
}
