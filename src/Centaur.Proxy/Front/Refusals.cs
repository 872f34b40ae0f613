using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Front;

/// <summary>The texts of refusals, in one place: an agent reads them, so each says which, why and what now.</summary>
static class Refusals
{
    const string AskOperator = "Do not retry it unchanged: say in your answer which host you need and why, so that an operator can allow it in the egress rules of this deployment.";

    public static Refusal Host(Authority target, PolicyModel policy) => new(
        403, RefusalCodes.HostNotAllowed,
        target.IsAddress
            ? $"{target} is an address, and addresses are reached only where a rule names them exactly. {Rules(policy)}"
            : $"{target.Host} is not on the list of hosts that this sandbox may reach. {Rules(policy)}",
        AskOperator);

    public static Refusal Port(Authority target, PolicyModel policy) => new(
        403, RefusalCodes.PortNotAllowed, $"{target.Host} is allowed, but not on port {target.Port}. {Rules(policy)}", AskOperator);

    public static Refusal Route(string host, string method, string path, PolicyModel policy) => new(
        403, RefusalCodes.RouteNotAllowed, $"{host} is allowed, but not {method} {path}. {Rules(policy)}", AskOperator);

    public static Refusal Bad(string what) => new(400, RefusalCodes.BadRequest, $"The request is malformed: {what}.", "Send a well-formed request.");

    public static Refusal Ambiguous(string what) => new(
        400, RefusalCodes.PathAmbiguous, $"The path could be read in two ways: {what}.", "Send the path in its plain form, without dot segments, backslashes or double slashes.");

    public static Refusal Mismatch(string asked, Authority tunnel) => new(
        421, RefusalCodes.AuthorityMismatch, $"The request is for {asked}, but this connection leads to {tunnel}.", "Open a connection for each host.");

    public static Refusal Placeholder(string secret, string place, string host) => new(
        403, RefusalCodes.PlaceholderNotBound, $"The placeholder of secret \"{secret}\" stands in {place} of a request to {host}, where it is not bound.",
        "A placeholder is only good at the hosts and in the places that its secret is bound to; everywhere else it is refused.") { Secret = secret };

    public static Refusal Cleartext(string secret, string host) => new(
        403, RefusalCodes.PlaceholderInCleartext, $"Secret \"{secret}\" would travel to {host} in clear text.", "Use https.") { Secret = secret };

    public static Refusal Unavailable(string secret, string reason) => new(
        503, RefusalCodes.SecretUnavailable, $"The value of secret \"{secret}\" cannot be had now: {reason}.",
        "This is not a wrong key. Try again in a moment; if it stays, an operator must look at the secret.") { Secret = secret };

    public static Refusal Unusable(string secret) => new(
        503, RefusalCodes.SecretUnusable, $"The value of secret \"{secret}\" holds characters that cannot stand there.", "An operator must set the secret again.") { Secret = secret };

    public static Refusal Upgrade(string protocol) => new(
        403, RefusalCodes.UpgradeNotAllowed, $"Upgrading the connection to {protocol} is not allowed here.", "Use plain requests, or server-sent events.");

    public static Refusal Audit() => new(
        503, RefusalCodes.AuditUnavailable, "The request cannot be recorded, so it was not sent.", "Try again later; an operator must look at the audit file.");

    public static Refusal Busy(string code, string what) => new(429, code, what, "Wait for what runs to end, then try again.");

    public static Refusal Upstream(string code, string what) => new(502, code, what, "The request did not reach its answer. Whether to try again is yours to judge.");

    static string Rules(PolicyModel policy) => $"(sandbox policy version {policy.Version}, {policy.Source.Allow.Count} rules)";
}
