using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Centaur.Protocol.Host;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Platform.Faults;

/// <summary>
/// Kills this process where a test asked for it: <c>CENTAUR_CRASH_POINT=execution.queue:after</c>, or with <c>#3</c> for the third time that it gets there. Every write
/// and every outside effect passes here, so that one test can walk through all of them (design §10). Unset, it costs one call that does nothing.
/// </summary>
public sealed class CrashPoints
{
    public const string Variable = "CENTAUR_CRASH_POINT";

    readonly Func<CrashPoint, CrashMoment, Task> reached;

    CrashPoints(Func<CrashPoint, CrashMoment, Task> reached) => this.reached = reached;

    /// <summary>For a server that is never to be killed.</summary>
    public static CrashPoints None { get; } = new((_, _) => Task.CompletedTask);

    /// <summary>The names of all points of this program, in order.</summary>
    public static IReadOnlyList<string> All { get; } = typeof(CrashPoints).Assembly.GetTypes()
        .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
        .Where(field => field.FieldType == typeof(CrashPoint) && !field.DeclaringType!.ContainsGenericParameters)
        .Select(field => ((CrashPoint)field.GetValue(null)!).Name)
        .Order(StringComparer.Ordinal)
        .ToList();

    /// <exception cref="SettingsException">The variable names no point.</exception>
    public static CrashPoints Read(Settings settings)
    {
        if (settings.Variable(Variable) is not { } text)
            return None;
        var (place, times) = text.Split('#') is [var before, var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 ? (before, n) : (text, 1);
        if (place.Split(':') is not [var name, var when] || !Enum.TryParse<CrashMoment>(when, ignoreCase: true, out var moment))
            throw new SettingsException($"{Variable} is \"{text}\": it must be a point and a moment, such as execution.queue:after or turn.store:before#3.");
        return All.Contains(name)
            ? new CrashPoints(DieAt(name, moment, times))
            : throw new SettingsException($"{Variable} names {name}, which is no crash point. Did you mean {NearestName.Of(name, All)}?");
    }

    /// <summary>For whoever holds many parts of this program in one process: it is asked at every point, may wait there, and may end what is being done by an exception.</summary>
    public static CrashPoints HandedTo(Func<CrashPoint, CrashMoment, Task> reached) => new(reached);

    /// <summary>Does not return where the process is to die here.</summary>
    public Task Reach(CrashPoint point, CrashMoment moment) => reached(point, moment);

    static Func<CrashPoint, CrashMoment, Task> DieAt(string name, CrashMoment at, int times) => (point, moment) =>
    {
        if (moment == at && point.Name == name && Interlocked.Decrement(ref times) == 0)
        {
            using var self = Process.GetCurrentProcess();
            self.Kill();
            self.WaitForExit();
        }
        return Task.CompletedTask;
    };
}
