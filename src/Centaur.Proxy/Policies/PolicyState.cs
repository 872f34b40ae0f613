using Centaur.Proxy.Postgres;
using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Policies;

/// <summary>The policy in force, with what belongs to it: swapped whole, never changed.</summary>
sealed class PolicyState(TransformRuntime runtime)
{
    volatile Generation generation = new(PolicyModel.DenyAll, runtime, null);

    public Generation Generation => generation;

    public PolicyModel Current => generation.Policy;

    /// <summary>Another policy over the same values.</summary>
    public void Enforce(PolicyModel model, PostgresModel? postgres) => generation = generation with { Policy = model, Postgres = postgres };

    public void Enforce(Generation next) => generation = next;
}
