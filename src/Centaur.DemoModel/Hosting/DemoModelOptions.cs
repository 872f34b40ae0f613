using System.Globalization;
using System.Net;
using Centaur.DemoModel.Certificates;

namespace Centaur.DemoModel.Hosting;

/// <summary>The command line, converted once.</summary>
internal sealed record DemoModelOptions
{
    public const string Usage =
        """
        centaur-demo-model: a scripted model that speaks the OpenAI Responses, OpenAI Chat Completions and Anthropic Messages APIs.

          --listen ADDRESS:PORT    where to listen; port 0 takes a free one. The first line on stdout is {"listening":"http://…"}
          --tls-cert FILE          with --tls-key: speak HTTPS
          --tls-key FILE
          --make-ca FOLDER         make ca.pem, cert.pem and key.pem there for --host, unless they are there and good; without --listen, end then
          --host NAME              the name in the certificate; may be repeated
          --require-key-file FILE  answer 401 to every request that does not carry exactly this key
          --record FILE            append a line of JSON for each request, without its credential
          --parent-pid PID         end when this process has ended
        """;

    public IPEndPoint? Listen { get; private init; }

    public string? CertificateFile { get; private init; }

    public string? KeyFile { get; private init; }

    public string? CaFolder { get; private init; }

    public IReadOnlyList<string> Hosts { get; private init; } = [];

    public string? RequiredKeyFile { get; private init; }

    public string? RecordFile { get; private init; }

    public int? ParentPid { get; private init; }

    /// <summary>Makes the certificate where it is missing, and serves with it unless another one was named.</summary>
    public DemoModelOptions WithCertificate(string folder, TimeProvider clock)
    {
        TestAuthority.Ensure(folder, Hosts, clock);
        var files = new CertificateFiles(folder);
        return CertificateFile is null ? this with { CertificateFile = files.Certificate, KeyFile = files.Key } : this;
    }

    /// <summary>Returns the options, or null and what is wrong with the arguments.</summary>
    public static DemoModelOptions? Parse(IReadOnlyList<string> arguments, out string? error)
    {
        var options = new DemoModelOptions();
        error = null;
        for (var i = 0; i < arguments.Count && error is null; i += 2)
        {
            if (i + 1 == arguments.Count)
                error = $"{arguments[i]}: a value is missing";
            else
                options = options.With(arguments[i], arguments[i + 1], ref error);
        }

        error ??= options.Contradiction();
        return error is null ? options : null;
    }

    DemoModelOptions With(string name, string value, ref string? error)
    {
        switch (name)
        {
            case "--listen" when IPEndPoint.TryParse(value, out var address):
                return this with { Listen = address };
            case "--tls-cert":
                return this with { CertificateFile = value };
            case "--tls-key":
                return this with { KeyFile = value };
            case "--make-ca":
                return this with { CaFolder = value };
            case "--host":
                return this with { Hosts = [.. Hosts, value] };
            case "--require-key-file":
                return this with { RequiredKeyFile = value };
            case "--record":
                return this with { RecordFile = value };
            case "--parent-pid" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var pid):
                return this with { ParentPid = pid };
            case "--listen" or "--parent-pid":
                error = $"{name}: cannot read '{value}'";
                return this;
            default:
                error = $"{name}: unknown option";
                return this;
        }
    }

    string? Contradiction() => this switch
    {
        { Listen: null, CaFolder: null } => "--listen or --make-ca is missing",
        { CaFolder: not null, Hosts.Count: 0 } => "--make-ca needs --host",
        { CertificateFile: null } when KeyFile is not null => "--tls-key needs --tls-cert",
        { KeyFile: null } when CertificateFile is not null => "--tls-cert needs --tls-key",
        _ => null,
    };
}
