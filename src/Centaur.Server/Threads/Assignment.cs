using System.Security.Cryptography;
using System.Text;

namespace Centaur.Server.Threads;

/// <summary>
/// A thread's binding to a harness, a prompt and a sandbox: <c>active</c> until it is released, each with a generation of its own that grows by one. Requests name the
/// generation they were made for, so that what was meant for a released one is refused.
/// </summary>
public sealed record Assignment(
    int Generation, string RuntimeId, string Harness, string? Engine, string? PersonaId, string PromptRef, string PromptSha, string? AgentsMdOverride)
{
    /// <summary>That of a thread's first assignment.</summary>
    internal const int FirstGeneration = 1;

    internal static string PromptRefOf(string harness, string? personaId) => personaId is null ? $"harness:{harness}" : $"persona:{personaId}";

    internal static string PromptShaOf(string? agentsMdOverride, string promptRef) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.IsNullOrEmpty(agentsMdOverride) ? promptRef : agentsMdOverride)));
}
