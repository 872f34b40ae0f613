namespace Centaur.Server.Harnesses;

/// <summary>
/// The agent programs that do a turn's work: which there are, how each is had on this host, and one translator each that turns its events into the canonical
/// ones. Executions drive them; nobody else knows them by name.
/// </summary>
internal static class HarnessesSlice
{
    public static void AddHarnesses(this IServiceCollection services)
    {
        services.AddSingleton<HarnessInstaller>();
        services.AddSingleton<HarnessCatalog>();
        services.AddSingleton<QuarantinedLines>();
        services.AddSingleton(provider => provider.GetRequiredService<QuarantinedLines>().Count);
    }
}
