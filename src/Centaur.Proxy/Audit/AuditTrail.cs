using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Centaur.Proxy.Front;
using Centaur.Proxy.Policies;

namespace Centaur.Proxy.Audit;

/// <summary>
/// Writes what this proxy did: an intent before the first byte leaves, its outcome, and one record for each refusal. Values never come here, and neither do
/// the values of queries. What others chose (methods, paths, names) is cut at a length, so that no line outgrows the chain.
/// </summary>
sealed partial class AuditTrail(AuditFile file, TimeProvider time)
{
    const int LongestWord = 256;
    const int LongestPath = 2048;

    static readonly JsonWriterOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    static ArrayBufferWriter<byte>? buffer;

    [ThreadStatic]
    static Utf8JsonWriter? writer;

    /// <summary>A proxy that starts anew counts from one: its start tells its records from those of the one before it.</summary>
    readonly string start = time.GetUtcNow().ToUnixTimeMilliseconds().ToString("x", CultureInfo.InvariantCulture);

    long next;

    /// <summary>Binds the records of one request; no other of this sandbox has it.</summary>
    public string NewId() => string.Create(CultureInfo.InvariantCulture, $"{start}-{Interlocked.Increment(ref next)}");

    /// <summary>False where the record is not in the file: then nothing may be sent.</summary>
    public bool Intend(in AuditIntent intent)
    {
        var json = Begin("intent", intent.Policy);
        json.WriteString("id", intent.Id);
        Route(json, intent.Target, intent.Method, intent.Path, intent.Query);
        json.WriteString("rule", Cut(intent.Rule, LongestWord));
        Secrets(json, intent.Secrets);
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
            json.WriteString("cause", Cut(cause, LongestWord));
        Finish(json);
        file.Defer(buffer!.WrittenSpan);
    }

    /// <param name="policy">In force.</param>
    /// <param name="target">Where it was to go; null where that could not be read.</param>
    /// <param name="method">As the client wrote it.</param>
    /// <param name="path">Without the query.</param>
    /// <param name="query">With its question mark, or empty.</param>
    /// <param name="refusal">What the client was answered.</param>
    public void Refused(PolicyModel policy, Authority? target, string method, string path, string query, Refusal refusal)
    {
        var json = Begin("refusal", policy);
        if (target is { } known)
            Route(json, known, method, path, query);
        if (refusal.Secret is { } secret)
            Secrets(json, [secret]);
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
            writer.WriteString("principal", Cut(principal, LongestWord));
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

    static void Route(Utf8JsonWriter json, Authority target, string method, string path, string query)
    {
        json.WriteString("host", Cut(target.Host, LongestWord));
        json.WriteNumber("port", target.Port);
        json.WriteString("method", Cut(method, LongestWord));
        json.WriteString("path", Cut(path, LongestPath));
        if (MaskedQuery.Of(query) is { Length: > 0 } masked)
            json.WriteString("query", masked);
    }

    static void Secrets(Utf8JsonWriter json, IReadOnlyList<string> names)
    {
        json.WriteStartArray("secrets");
        foreach (var name in names)
            json.WriteStringValue(Cut(name, LongestWord));
        json.WriteEndArray();
    }

    static string Cut(string text, int most) => text.Length <= most ? text : text[..most];
}

/// <summary>What is about to be sent. <see cref="Path"/> has no query, and placeholders where values will stand.</summary>
readonly record struct AuditIntent(
    string Id, PolicyModel Policy, Authority Target, string Method, string Path, string Rule, IReadOnlyList<string> Secrets)
{
    /// <summary>With its question mark, or empty; only the names of its parameters are written.</summary>
    public string Query { get; init; } = "";
}

/// <summary>What became of it.</summary>
readonly record struct AuditOutcome(
    string Id, Authority Target, int Status, long BytesSent, long BytesReceived, TimeSpan Duration, long InertPlaceholders, long Scrubbed, string? Cause);
