namespace Centaur.ProxyConformance.Data;

/// <summary>One file of cases. All files of a folder of <c>Cases</c> are one group, which is played in one row, one case after another.</summary>
sealed record CaseFile
{
    /// <summary>By a name that is good in this file.</summary>
    public Dictionary<string, SuiteConfig> Configs { get; set; } = [];

    public List<SuiteCase> Cases { get; set; } = [];
}
