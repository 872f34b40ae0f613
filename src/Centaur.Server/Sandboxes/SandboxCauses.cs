using Centaur.Protocol.Attach;

namespace Centaur.Server.Sandboxes;

/// <summary>Why a sandbox ended, where the server decided it: besides <see cref="ExitCauses"/>, which its keeper says.</summary>
internal static class SandboxCauses
{
    /// <summary>Nobody used it for longer than its time.</summary>
    public const string Idle = "idle";

    /// <summary>It was the longest unused one when the host had as many as it may.</summary>
    public const string Capacity = "capacity";

    /// <summary>A spare that was too old, or left by an earlier server.</summary>
    public const string Recycled = "recycled";

    /// <summary>The credential that its harness had was refused; a fresh one takes its place.</summary>
    public const string Replaced = "replaced";

    /// <summary>Its keeper could not be reached, and its turn is over.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>No server of its host has shown a sign of life for too long.</summary>
    public const string HostGone = "host_gone";

    /// <summary>Its turn said nothing for too long.</summary>
    public const string Silence = "silence";

    /// <summary>Its turn took too long.</summary>
    public const string Deadline = "deadline";

    /// <summary>The cause as a sentence.</summary>
    public static string Sentence(string cause) => cause switch
    {
        Idle => "The sandbox was ended because nobody had used it for a while; the thread's folder is kept.",
        Capacity => "The sandbox was ended to make room for another; the thread's folder is kept.",
        Recycled => "The spare sandbox was replaced by a fresh one.",
        Replaced => "The sandbox was replaced by a fresh one because the credential of its harness was refused; the thread's folder is kept.",
        Unreachable => "The sandbox was ended because its keeper could not be reached; the thread's folder is kept.",
        HostGone => "The machine that the sandbox ran on is gone; the thread goes on elsewhere, without its folder.",
        Silence => "The sandbox was ended because its turn said nothing for too long.",
        Deadline => "The sandbox was ended because its turn took too long.",
        ExitCauses.StartFailed => "The sandbox could not be started.",
        _ => "The sandbox ended.",
    };
}
