using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Centaur.Proxy.Front;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Audit;

/// <summary>
/// Writes what this proxy did: an intent before the first byte leaves, its outcome, and one record for each refusal. Values never come here, and neither do
/// the values of queries.
/// </summary>
sealed partial class AuditTrail(AuditFile file, TimeProvider time)
{
    static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    static ArrayBufferWriter<byte>? buffer;

    [ThreadStatic]
    static Utf8JsonWriter? writer;

    long next;

    public string NewId() => Interlocked.Increment(ref next).ToString(CultureInfo.InvariantCulture);

    /// <summary>False where the record is not in the file: then nothing may be sent.</summary>
    public bool Intend(in AuditIntent intent)
    {
        var json = Begin("intent", intent.Policy);
        json.WriteString("id", intent.Id);
        Route(json, intent.Target, intent.Method, intent.Path);
        json.WriteString("rule", intent.Rule);
        json.WriteStartArray("secrets");
        foreach (var name in intent.Secrets)
            json.WriteStringValue(name);
        json.WriteEndArray();
        return End(json);
    }

    /// <summary>Nothing waits for an outcome: it is written with the next record, or shortly after.</summary>
    public void Conclude(PolicyModel policy, in AuditOutcome outcome)
    {
        var json = Begin("outcome", policy);
        json.WriteString("id", outcome.Id);
        json.WriteString("host", outcome.Target.Host);
        json.WriteNumber("status", outcome.Status);
        json.WriteNumber("bytes_sent", outcome.BytesSent);
        json.WriteNumber("bytes_received", outcome.BytesReceived);
        json.WriteNumber("duration_ms", Math.Round(outcome.Duration.TotalMilliseconds, 3));
        if (outcome.InertPlaceholders > 0)
            json.WriteNumber("inert_placeholders", outcome.InertPlaceholders);
        if (outcome.Scrubbed > 0)
            json.WriteNumber("scrubbed", outcome.Scrubbed);
        if (outcome.Cause is { } cause)
            json.WriteString("cause", cause);
        Finish(json);
        file.Defer(buffer!.WrittenSpan);
    }

    public void Refused(PolicyModel policy, Authority? target, string method, string path, Refusal refusal)
    {
        var json = Begin("refusal", policy);
        if (target is { } known)
            Route(json, known, method, path);
        json.WriteNumber("status", refusal.Status);
        json.WriteString("cause", refusal.Code);
        End(json);
    }

    Utf8JsonWriter Begin(string kind, PolicyModel policy)
    {
        buffer ??= new ArrayBufferWriter<byte>(1024);
        buffer.ResetWrittenCount();
        writer ??= new Utf8JsonWriter(buffer, Options);
        writer.Reset(buffer);
        writer.WriteStartObject();
        writer.WriteString("time", time.GetUtcNow());
        writer.WriteString("kind", kind);
        writer.WriteString("sandbox", policy.Source.SandboxId);
        if (policy.Source.ThreadKey is { } thread)
            writer.WriteString("thread", thread);
        if (policy.Source.Turn is { } turn)
            writer.WriteString("turn", turn);
        if (policy.Source.Principal is { } principal)
            writer.WriteString("principal", principal);
        writer.WriteNumber("policy", policy.Version);
        return writer;
    }

    bool End(Utf8JsonWriter json)
    {
        Finish(json);
        return file.TryAppend(buffer!.WrittenSpan);
    }

    static void Finish(Utf8JsonWriter json)
    {
        json.WriteEndObject();
        json.Flush();
    }

    static void Route(Utf8JsonWriter json, Authority target, string method, string path)
    {
        json.WriteString("host", target.Host);
        json.WriteNumber("port", target.Port);
        json.WriteString("method", method);
        json.WriteString("path", path.Length <= 2048 ? path : path[..2048]);
    }
}

/// <summary>What is about to be sent. <see cref="Path"/> has no query, and placeholders where values will stand.</summary>
readonly record struct AuditIntent(
    string Id, PolicyModel Policy, Authority Target, string Method, string Path, string Rule, IReadOnlyList<string> Secrets);

/// <summary>What became of it.</summary>
readonly record struct AuditOutcome(
    string Id, Authority Target, int Status, long BytesSent, long BytesReceived, TimeSpan Duration, long InertPlaceholders, long Scrubbed, string? Cause);
