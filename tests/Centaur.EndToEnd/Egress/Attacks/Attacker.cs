using System.Text.Json;
using Centaur.EndToEnd.Egress.Vendors;
using Centaur.Protocol.Sandbox;
using Shouldly;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>An agent in a jail that works for somebody else.</summary>
internal sealed class Attacker(VendorInstallation installation)
{
    const string Library = "attacker.py";

    string execution = "";

    public Conversation Conversation { get; } = new(installation, "built-in");

    /// <summary>Runs Python in the jail, with what <c>Probes/attacker.py</c> offers.</summary>
    /// <returns>Its findings by name. None holds a real key, in any form.</returns>
    public async Task<IReadOnlyDictionary<string, JsonElement>> Try(string python, CancellationToken cancellationToken)
    {
        await Begin(python, cancellationToken);
        return await End(cancellationToken);
    }

    /// <summary>As <see cref="Try"/>, for what goes on while the test does something else; <see cref="End"/> comes next.</summary>
    public async Task Begin(string python, CancellationToken cancellationToken) =>
        execution = await Conversation.Start($"Run: {JailShell.OneLine(Script(python))}", cancellationToken);

    /// <summary>Waits for what was begun.</summary>
    public async Task<IReadOnlyDictionary<string, JsonElement>> End(CancellationToken cancellationToken)
    {
        var ended = await Conversation.End(execution, cancellationToken);
        ended.GetProperty("status").GetString().ShouldBe("completed", ended.ToString());
        var said = ended.GetProperty("result_text").GetString()!;
        said.ShouldNotContain("Traceback", Case.Sensitive, said);
        foreach (var key in installation.Keys)
            new KeySearch(key.Value).IsIn(System.Text.Encoding.UTF8.GetBytes(said)).ShouldBeFalse(said);
        return said.Split('\n').Select(line => line.Split('\t', 2)).Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => JsonDocument.Parse(parts[1]).RootElement);
    }

    /// <summary>Waits for a file that the jail leaves in its workspace.</summary>
    public Task Leaves(string file, CancellationToken cancellationToken) => Programs.Until(() => Has(file), cancellationToken);

    /// <summary>Leaves a file for the jail, which waits for it.</summary>
    public void Leave(string file) => File.WriteAllText(InWorkspace(file), "");

    bool Has(string file)
    {
        try
        {
            return File.Exists(InWorkspace(file));
        }
        catch (InvalidOperationException)
        {
            return false; // The jail is being built.
        }
    }

    string InWorkspace(string file) => $"/proc/{SandboxProcesses.Init(installation, Conversation.ThreadKey)}/root{JailPaths.Workspace}/{file}";

    static string Script(string python) =>
        $"cat > {Library} <<'LIBRARY'\n{File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Probes", Library))}\nLIBRARY\npython3 - <<'PYTHON' 2>&1\nfrom attacker import *\n{python}\nPYTHON";

    /// <summary>The records of this jail's thread once one of them is as expected and every request has its end.</summary>
    public Task<List<JsonElement>> Records(Func<JsonElement, bool> expected, CancellationToken cancellationToken) =>
        EgressRecords.Of(
            installation, Conversation,
            records => records.Any(expected) && records.Count(record => record.Text("kind") == "intent") == records.Count(record => record.Text("kind") == "outcome"), cancellationToken);

    /// <summary>The causes of what was refused on a host.</summary>
    public async Task<IReadOnlyList<string>> Refusals(string host, int count, CancellationToken cancellationToken)
    {
        var records = await EgressRecords.Of(installation, Conversation, all => Of(all).Count >= count, cancellationToken);
        return Of(records);

        IReadOnlyList<string> Of(List<JsonElement> all) => [.. all.Where(record => record.Text("kind") == "refusal" && record.Text("host") == host).Select(record => record.Text("cause"))];
    }
}

internal static class Findings
{
    public static string Word(this IReadOnlyDictionary<string, JsonElement> findings, string name) => findings[name].GetString()!;
}
