namespace Centaur.Proxy.Postgres.Wire;

/// <summary>The error codes that this proxy answers with (PostgreSQL documentation, appendix A).</summary>
static class SqlStates
{
    public const string ConnectionFailure = "08006";
    public const string ProtocolViolation = "08P01";
    public const string FeatureNotSupported = "0A000";
    public const string InvalidAuthorization = "28000";
    public const string InvalidPassword = "28P01";
    public const string InvalidCatalogName = "3D000";
    public const string SyntaxError = "42601";
    public const string InsufficientPrivilege = "42501";
    public const string TooManyConnections = "53300";
    public const string ProgramLimitExceeded = "54000";
    public const string SystemError = "58000";
}
