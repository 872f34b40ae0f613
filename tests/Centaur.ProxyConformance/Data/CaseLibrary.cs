using Xunit;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Centaur.ProxyConformance.Data;

/// <summary>The cases as they lie beside the program: a folder for each group.</summary>
static class CaseLibrary
{
    static readonly IDeserializer Reader = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().Build();

    static string Root => Path.Combine(AppContext.BaseDirectory, "Cases");

    public static IReadOnlyList<string> Groups => [.. Directory.GetDirectories(Root).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    /// <summary>Every case of a group with its configuration.</summary>
    public static IReadOnlyList<(SuiteCase Case, string ConfigName, SuiteConfig Config)> Group(string name) =>
        [.. from path in Directory.GetFiles(Path.Combine(Root, name), "*.yaml").Order(StringComparer.Ordinal)
            let file = Read(path)
            from one in file.Cases
            select (one, $"{Path.GetFileName(path)}#{one.Config}", file.Configs.GetValueOrDefault(one.Config) ?? throw new InvalidOperationException($"{path}: {one.Id} names no configuration of its file."))];

    public static TheoryData<string> Ids(string group) => [.. Group(group).Select(entry => entry.Case.Id)];

    static CaseFile Read(string path)
    {
        try
        {
            return Reader.Deserialize<CaseFile>(File.ReadAllText(path));
        }
        catch (YamlException fault)
        {
            throw new InvalidOperationException($"{path}, line {fault.Start.Line}: {fault.InnerException?.Message ?? fault.Message}", fault);
        }
    }
}
