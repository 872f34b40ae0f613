using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Harnesses;

/// <summary>The harnesses that can be asked for, each with its translator and the way to have it on this host.</summary>
internal sealed class HarnessCatalog(HarnessInstaller installer, HostIdentity host, ILogger<HarnessCatalog> log)
{
    public const string BuiltIn = "built-in";

    public const string Codex = "codex";

    /// <summary>What an assignment may name.</summary>
    public static IReadOnlyList<string> Names { get; } = [Codex, BuiltIn];

    /// <summary>Installs the harness if this host does not have it yet.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="tell">Told once, in words for people, when something is installed first.</param>
    /// <param name="cancellationToken">Cancels the installation.</param>
    /// <exception cref="HarnessUnavailableException">It cannot be had here.</exception>
    public async Task<ReadyHarness> Ready(string name, Func<string, Task> tell, CancellationToken cancellationToken)
    {
        switch (name)
        {
            case BuiltIn:
                return new ReadyHarness(BuiltIn, host.Version, JailPaths.Runner, new BuiltInTranslator());
            case Codex:
                if (!installer.IsInstalled(HarnessPins.Codex))
                {
                    HarnessesLog.Installing(log, HarnessPins.Codex.NpmSpecification);
                    await tell($"Installing {HarnessPins.Codex.Name} (once) …");
                }

                await installer.Install(HarnessPins.Codex, cancellationToken);
                return new ReadyHarness(Codex, HarnessPins.Codex.CliVersion, HarnessInstaller.ProgramInJail(HarnessPins.Codex), new CodexTranslator());
            default:
                throw new HarnessUnavailableException($"There is no harness \"{name}\" here. There are: {string.Join(", ", Names)}.");
        }
    }
}

/// <summary>A harness that this host has.</summary>
/// <param name="Name">As the assignment names it; the runner's driver has the same name.</param>
/// <param name="Version">For the answer's metadata.</param>
/// <param name="Program">The program's path in the jail.</param>
/// <param name="Translator">Reads its events.</param>
internal sealed record ReadyHarness(string Name, string Version, string Program, IHarnessTranslator Translator);
