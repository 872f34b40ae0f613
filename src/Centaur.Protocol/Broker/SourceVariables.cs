namespace Centaur.Protocol.Broker;

/// <summary>What the broker itself logs in with. Nothing else is started with these, and none of them can be granted to anybody.</summary>
public static class SourceVariables
{
    public const string VaultToken = "VAULT_TOKEN";
    public const string ConnectToken = "OP_CONNECT_TOKEN";
    public const string OnePasswordToken = "OP_SERVICE_ACCOUNT_TOKEN";

    public static IReadOnlyList<string> Tokens { get; } = [VaultToken, ConnectToken, OnePasswordToken];
}
