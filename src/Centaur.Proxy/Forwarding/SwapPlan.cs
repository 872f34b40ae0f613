using Centaur.Protocol.Policy;
using Centaur.Proxy.Front;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Secrets;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Forwarding;

/// <summary>
/// Which placeholders a request carries and with what they are swapped.
/// <para>1. The method, every header with its name, the path and the query are searched.</para>
/// <para>2. A placeholder that stands where no binding of its secret allows it refuses the request; nothing is ever sent half-swapped.</para>
/// <para>3. The values are fetched; only then is anything written.</para>
/// </summary>
sealed class SwapPlan(PolicyModel policy, HostModel host, RequestLine line, string method)
{
    static readonly string[] None = [];

    List<SecretModel>? needed;
    List<Secret>? values;

    /// <summary>Names of the secrets that this request will carry.</summary>
    public IReadOnlyList<string> Names => needed is null ? None : [.. needed.Select(secret => secret.Name)];

    public bool SwapsInBody { get; private set; }

    /// <summary>One for each secret that the request carries: cancelled when it is revoked.</summary>
    public IReadOnlyList<CancellationToken> Revocations { get; private set; } = [];

    public Refusal? Find(IHeaderDictionary headers, bool hasBody)
    {
        if (policy.Placeholders is null)
            return null;
        if (FindBare(method, "the method") is { } unspeakable)
            return unspeakable;
        foreach (var (name, list) in headers)
        {
            if (FindBare(name, "the name of a header") is { } named)
                return named;
            foreach (var value in list)
            {
                if (value is null || FindInHeader(name, value) is not { } refusal)
                    continue;
                return refusal;
            }
        }

        if (hasBody)
            FindInBody();
        return FindInPath() ?? FindInQuery();
    }

    /// <summary>Fetches what is needed; says what cannot be had.</summary>
    public async ValueTask<Refusal?> Fetch(SecretVault vault, CancellationToken cancellationToken)
    {
        if (needed is null)
            return null;
        // Before the values: a revocation in between is seen.
        Revocations = [.. needed.Select(secret => vault.Revocation(secret.Name))];
        values = new List<Secret>(needed.Count);
        foreach (var secret in needed)
        {
            var fetch = await vault.Get(secret.Name, secret.Placeholder, cancellationToken);
            if (fetch.Secret is null)
                return Refusals.Unavailable(secret.Name, fetch.Problem ?? "no reason given");
            if (!fetch.Secret.FitsHeader)
                return Refusals.Unusable(secret.Name);
            values.Add(fetch.Secret);
        }

        return null;
    }

    public string InHeader(string name, string value)
    {
        if (values is null)
            return value;
        if (policy.Mentions(value))
            return Swap(value, secret => secret.ForHeader());
        return BasicCredentials.TryDecode(name, value) is { } credentials && policy.Mentions(credentials)
            ? BasicCredentials.Encode(Swap(credentials, secret => secret.ForHeader()))
            : value;
    }

    public string InAddress(string text) => values is null || !policy.Mentions(text) ? text : Swap(text, secret => secret.ForAddress());

    /// <summary>Value by placeholder, for a body in which they are bound.</summary>
    public IEnumerable<(SecretModel Model, Secret? Value)> ForBody()
    {
        foreach (var model in policy.Secrets)
        {
            var at = needed?.IndexOf(model) ?? -1;
            yield return (model, at >= 0 && Allowed(model, binding => binding.InBody) is null ? values![at] : null);
        }
    }

    string Swap(string text, Func<Secret, string> form)
    {
        for (var i = 0; i < needed!.Count; i++)
            text = text.Replace(needed[i].Placeholder, form(values![i]), StringComparison.Ordinal);
        return text;
    }

    Refusal? FindInHeader(string name, string value)
    {
        var text = policy.Mentions(value) ? value : BasicCredentials.TryDecode(name, value);
        if (text is null || !policy.Mentions(text))
            return null;
        foreach (var secret in policy.Secrets)
        {
            if (text.Contains(secret.Placeholder, StringComparison.Ordinal) && Need(secret, $"header {name}", binding => binding.CoversHeader(name)) is { } refusal)
                return refusal;
        }

        return null;
    }

    Refusal? FindInPath()
    {
        if (!policy.Mentions(line.Path))
            return FindEncoded(line.Path, "the path");
        foreach (var secret in policy.Secrets)
        {
            if (line.Path.Contains(secret.Placeholder, StringComparison.Ordinal) && Need(secret, "the path", binding => binding.InPath) is { } refusal)
                return refusal;
        }

        return null;
    }

    Refusal? FindInQuery()
    {
        if (line.Query.Length == 0)
            return null;
        if (!policy.Mentions(line.Query))
            return FindEncoded(line.Query, "the query");
        foreach (var pair in line.Query[1..].Split('&'))
        {
            if (!policy.Mentions(pair))
                continue;
            var equals = pair.IndexOf('=');
            var name = PercentEncoding.DecodeOnce(equals < 0 ? "" : pair[..equals]);
            foreach (var secret in policy.Secrets)
            {
                if (!pair.Contains(secret.Placeholder, StringComparison.Ordinal))
                    continue;
                var inName = name.Contains(secret.Placeholder, StringComparison.Ordinal);
                if (Need(secret, "the query", binding => !inName && binding.CoversQuery(name)) is { } refusal)
                    return refusal;
            }
        }

        return null;
    }

    /// <summary>An encoded form is never swapped, so it would leave as it is: refused where a plain one would be, however often it was encoded.</summary>
    Refusal? FindEncoded(string text, string place)
    {
        for (var (before, decoded) = (text, PercentEncoding.DecodeOnce(text)); before.Length != decoded.Length; (before, decoded) = (decoded, PercentEncoding.DecodeOnce(decoded)))
        {
            if (FindBare(decoded, $"{place}, encoded,") is { } refusal)
                return refusal;
        }

        return null;
    }

    /// <summary>A place where no binding can allow a placeholder.</summary>
    Refusal? FindBare(string text, string place)
    {
        if (!policy.Mentions(text))
            return null;
        var secret = policy.Secrets.First(secret => text.Contains(secret.Placeholder, StringComparison.OrdinalIgnoreCase));
        return Refusals.Placeholder(secret.Name, place, line.Target.Host);
    }

    void FindInBody()
    {
        foreach (var bound in host.Bindings)
        {
            if (!bound.Binding.InBody || Allowed(bound.Secret, binding => binding.InBody) is not null)
                continue;
            SwapsInBody = true;
            Remember(bound.Secret);
        }
    }

    Refusal? Need(SecretModel secret, string place, Func<BindingModel, bool> covers)
    {
        if (Allowed(secret, covers) is { } refused)
            return refused == Obstacle.Cleartext ? Refusals.Cleartext(secret.Name, line.Target.Host) : Refusals.Placeholder(secret.Name, place, line.Target.Host);
        Remember(secret);
        return null;
    }

    void Remember(SecretModel secret)
    {
        needed ??= [];
        if (!needed.Contains(secret))
            needed.Add(secret);
    }

    Obstacle? Allowed(SecretModel secret, Func<BindingModel, bool> covers)
    {
        var bound = false;
        foreach (var candidate in host.Bindings)
            bound |= ReferenceEquals(candidate.Secret, secret) && candidate.Binding.CoversRoute(method, line.Path) && covers(candidate.Binding);
        if (!bound)
            return Obstacle.NotBound;
        if (policy.MapFor(line.Target.Host, line.Target.Port) is { } map)
            return map.Secrets.Contains(secret.Name) ? null : Obstacle.NotBound;
        return line.Secure ? null : Obstacle.Cleartext;
    }

    enum Obstacle
    {
        NotBound,
        Cleartext,
    }
}
