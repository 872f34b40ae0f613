namespace Centaur.ProxyConformance.Data;

/// <summary>One exchange of a case.</summary>
sealed record Step
{
    /// <summary>Done again until it comes out as expected: for what takes effect in its own time.</summary>
    public bool Eventually { get; set; }

    public OriginScript? Origin { get; set; }

    public ClientScript? Client { get; set; }

    public Expectation? Expect { get; set; }
}
