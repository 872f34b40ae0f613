using Centaur.DemoModel.Certificates;
using Centaur.DemoModel.Hosting;

await using var output = Console.OpenStandardOutput();
await using var errors = new StreamWriter(Console.OpenStandardError());

if (args is [] or ["--help"] or ["-h"])
{
    await output.WriteAsync(System.Text.Encoding.UTF8.GetBytes(DemoModelOptions.Usage + "\n"));
    return args is [] ? 2 : 0;
}

if (DemoModelOptions.Parse(args, out var error) is not { } options)
{
    await errors.WriteLineAsync($"centaur-demo-model: {error}");
    return 2;
}

try
{
    if (options.CaFolder is { } folder)
        options = options.WithCertificate(folder, TimeProvider.System);
    if (options.Listen is not null)
        await DemoModelServer.Run(options, output, CancellationToken.None);
    return 0;
}
catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
{
    await errors.WriteLineAsync($"centaur-demo-model: {failure.Message}");
    return 1;
}
