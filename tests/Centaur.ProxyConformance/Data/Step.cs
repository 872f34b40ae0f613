namespace Centaur.ProxyConformance.Data;

/// <summary>One exchange of a case.</summary>
sealed record Step
{
    public OriginScript? Origin { get; set; }

    public ClientScript? Client { get; set; }

    public Expectation? Expect { get; set; }
}
