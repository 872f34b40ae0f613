namespace Centaur.ProxyConformance.Data;

/// <summary>One behaviour: a configuration, what a client sends, what an origin answers, and what must come of it.</summary>
sealed record SuiteCase
{
    /// <summary>Of no other case.</summary>
    public string Id { get; set; } = "";

    /// <summary>Why it is so, where the id does not say it.</summary>
    public string? About { get; set; }

    /// <summary>The name of a configuration of the same file.</summary>
    public string Config { get; set; } = "usual";

    /// <summary>The one step of a case that has one.</summary>
    public OriginScript? Origin { get; set; }

    public ClientScript? Client { get; set; }

    public Expectation? Expect { get; set; }

    public List<Step> Steps { get; set; } = [];

    public IReadOnlyList<Step> All => Steps.Count > 0 ? Steps : [new Step { Origin = Origin, Client = Client, Expect = Expect }];

    public override string ToString() => Id;
}
