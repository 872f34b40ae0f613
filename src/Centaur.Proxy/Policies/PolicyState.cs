namespace Centaur.Proxy.Policies;

/// <summary>The policy in force: swapped whole, never changed.</summary>
sealed class PolicyState
{
    volatile PolicyModel current = PolicyModel.DenyAll;

    public PolicyModel Current => current;

    public void Enforce(PolicyModel model) => current = model;
}
