namespace Centaur.Server.Platform.Faults;

/// <summary>
/// A commit or an outside effect around which this process may be killed by a test. Kept in a static field of the class that does it, so that
/// <see cref="CrashPoints.All"/> can list what this program has.
/// </summary>
/// <param name="Name">A noun and what happens to it, for example <c>execution.queue</c>.</param>
public sealed record CrashPoint(string Name);

/// <summary>Before it is done, or after it is done and before anybody was told.</summary>
public enum CrashMoment
{
    Before,
    After,
}
