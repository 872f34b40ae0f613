using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Egress;

/// <summary>How records of egress are brought here and how long they stay.</summary>
/// <param name="KeepDays">Whole days of records older than this are dropped.</param>
/// <param name="Ship">How often the audit files of this host are looked at where no turn's end wakes whoever does.</param>
public sealed record EgressRecordOptions(int KeepDays, TimeSpan Ship)
{
    public static EgressRecordOptions Read(Settings settings)
    {
        var section = settings.Root.Section("egress");
        return new EgressRecordOptions(section.Number("keep_days", 90, 1, 3650), TimeSpan.FromSeconds(section.Decimal("ship_seconds", 2, 0.1, 3600)));
    }
}
