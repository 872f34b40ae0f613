using System.Text.Json;
using System.Text.RegularExpressions;
using Centaur.ProxyConformance.Data;
using Centaur.ProxyConformance.Scenery;
using Centaur.ProxyConformance.Targets;
using Shouldly;

namespace Centaur.ProxyConformance.Play;

/// <summary>Looks at what a step left behind: at the client, at the origins, in the audit and in the log.</summary>
sealed class Referee(SuiteConfig config, IReadOnlyList<string> secrets, IRunningProxy proxy, Expectation expect)
{
    public void Judge(IReadOnlyList<Answer> answers)
    {
        if (expect.Statuses.Count > 0)
            answers.GroupBy(answer => answer.Status).ToDictionary(group => group.Key, group => group.Count()).ShouldBe(expect.Statuses, ignoreOrder: true);
        foreach (var answer in answers)
        {
            foreach (var secret in secrets)
                answer.Raw.ShouldNotContain(secret, Case.Sensitive, "The client hears a secret.");
        }

        Judge(answers[^1]);
    }

    /// <summary>Requests in the order in which they came.</summary>
    public void JudgeUpstream(IReadOnlyList<SeenByOrigin> seen)
    {
        if (expect.Upstream is not { } expected)
            return;
        seen.Count.ShouldBe(expected.Count, $"Origins saw:\n{string.Join("\n---\n", seen)}");
        foreach (var (sighting, request) in expected.Zip(seen))
        {
            request.Method.ShouldBe(sighting.Method ?? request.Method);
            request.Target.ShouldBe(sighting.Target ?? request.Target);
            request.Protocol.ShouldBe(sighting.Protocol ?? request.Protocol);
            request.Body.ShouldBe(sighting.Body ?? request.Body);
            request.Body.Length.ShouldBe(sighting.BodySize ?? request.Body.Length);
            foreach (var (name, value) in sighting.Headers)
                Compare(request.Header(name), value, $"header {name} at the origin of\n{request}");
            if (sighting.Names is { } names)
                request.Headers.Select(header => header.Key.ToLowerInvariant()).Order(StringComparer.Ordinal).ShouldBe(names.Select(name => name.ToLowerInvariant()).Order(StringComparer.Ordinal));
        }
    }

    public void JudgeMints(int minted) => minted.ShouldBe(expect.Mints ?? minted, "tokens that were minted");

    /// <param name="before">How many records there were before the step.</param>
    /// <param name="cancellationToken">Ends the wait for records that do not come.</param>
    public async Task JudgeAudit(int before, CancellationToken cancellationToken)
    {
        if (proxy.HasAudit)
        {
            foreach (var record in expect.Audit)
            {
                // An outcome is written once its answer is through; nobody who hears the answer waits for it.
                while (!proxy.Audit().Skip(before).Any(found => Covers(found, record)))
                {
                    if (cancellationToken.IsCancellationRequested)
                        throw new ShouldAssertException($"The audit has no record of {string.Join(", ", record)}, but:\n{string.Join('\n', proxy.Audit().Skip(before))}");
                    await Task.Delay(10, CancellationToken.None);
                }
            }

            if (expect.Relayed is { } relayed)
                proxy.Audit().Skip(before).Any(record => Text(record, "kind") == "refusal").ShouldBe(!relayed, string.Join('\n', proxy.Audit().Skip(before)));
        }

        var written = string.Join('\n', proxy.Audit().Skip(before)) + proxy.Log;
        foreach (var secret in secrets)
            written.ShouldNotContain(secret, Case.Sensitive, "A secret is in the audit or in the log.");
    }

    /// <summary>Whatever a client says to a database, it stays who it was.</summary>
    public void JudgeIdentity(ClientScript client, Answer answer)
    {
        if (config.Identity is { } identity && client is not { Sql: null, Message: null } && answer.Body.Length > 0)
            answer.Body.ShouldContain(identity, Case.Sensitive, answer.ToString());
    }

    void Judge(Answer answer)
    {
        answer.Status.ShouldBe(expect.Status ?? answer.Status, answer.ToString());
        if (expect.Reason is { } reason && proxy.ReasonHeader is { } header)
            Answer.Find(answer.Headers, header).ShouldBe(reason, answer.ToString());
        foreach (var (name, value) in expect.Headers)
            Compare(Answer.Find(answer.Headers, name), value, $"header {name} of\n{answer}");
        foreach (var (name, value) in expect.Trailers)
            Compare(Answer.Find(answer.Trailers, name), value, $"trailer {name} of\n{answer}");
        answer.Body.ShouldBe(expect.Body ?? answer.Body);
        answer.Body.Length.ShouldBe(expect.BodySize ?? answer.Body.Length);
        foreach (var part in expect.Contains)
            answer.Raw.ShouldContain(part, Case.Sensitive);
        foreach (var part in expect.Lacks)
            answer.Raw.ShouldNotContain(part, Case.Sensitive);
        answer.Reply.ShouldBe(expect.Reply ?? answer.Reply);
        if (expect.Certificate is { } names)
            answer.Certificate.ShouldBe(names, ignoreOrder: true);
        if (expect.Frames.Count > 0)
            answer.Frames.ShouldBe(expect.Frames);
        answer.Sqlstate.ShouldBe(expect.Sqlstate ?? answer.Sqlstate, answer.ToString());
        (answer.HandshakeFailed, expect.Handshake).ShouldBe((expect.Handshake == "refused", expect.Handshake), answer.ToString());
        switch (expect.Answer)
        {
            case "whole":
                answer.Whole.ShouldBeTrue(answer.ToString());
                break;
            case "broken":
                // Whoever has not passed on the head yet may still say 502.
                (answer.Whole && answer.Status != 502).ShouldBeFalse(answer.ToString());
                break;
            case "none":
                answer.Raw.ShouldBeEmpty();
                break;
        }
    }

    static void Compare(string? found, string? expected, string where)
    {
        if (expected is ['/', .. var expression, '/'])
            (found is not null && Regex.IsMatch(found, expression, RegexOptions.None, TimeSpan.FromSeconds(1))).ShouldBeTrue($"{found} is not {expected}: {where}");
        else
            found.ShouldBe(expected, where);
    }

    static bool Covers(JsonElement record, Dictionary<string, string> expected) => expected.All(pair => Text(record, pair.Key) == pair.Value);

    static string? Text(JsonElement record, string key) => !record.TryGetProperty(key, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Array => string.Join(",", value.EnumerateArray().Select(item => item.ToString())),
        _ => value.GetRawText(),
    };
}
