using Centaur.Protocol.Broker;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Stack;

/// <summary>
/// What each program finds in its environment. The server's own secrets are not the broker's, and keys of models and tools are not the server's
/// (design §5): each gets what was set in this shell without what belongs to the other.
/// </summary>
internal static class ProgramEnvironment
{
    static readonly string[] OfTheServer =
    [
        "DATABASE_URL", "SANDBOX_SIGNING_KEY", "API_SECRET_KEY", "SLACKBOT_API_KEY", "LOCAL_DEV_API_KEY", "MONITORING_OPERATOR_API_KEY",
        "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_SIGNING_SECRET_PREVIOUS",
    ];

    /// <summary>What the broker logs in to the sources of secrets with.</summary>
    static readonly IReadOnlyList<string> OfTheBroker = SourceVariables.Tokens;

    static readonly string[] OfACaller = ["CENTAUR_API_KEY", "CENTAUR_API_URL", "CENTAUR_THREAD_KEY", "CENTAUR_TRACE_ID", "CENTAUR_TOOLS_URL"];

    public static Dictionary<string, string> Server(CliContext context)
    {
        var variables = Without(context, [.. OfACaller, .. OfTheBroker, .. ModelKeys.AllNames]);
        variables["CENTAUR_HOME"] = context.Layout.Home;
        variables["DATABASE_URL"] = context.Variable("DATABASE_URL") ?? context.Layout.EmbeddedDatabaseUrl;
        return variables;
    }

    public static Dictionary<string, string> Broker(CliContext context)
    {
        var variables = Without(context, [.. OfACaller, .. OfTheServer]);
        variables["CENTAUR_HOME"] = context.Layout.Home;
        return variables;
    }

    public static Dictionary<string, string> DemoModel(CliContext context) => Without(context, [.. OfACaller, .. OfTheServer, .. OfTheBroker, .. ModelKeys.AllNames]);

    static Dictionary<string, string> Without(CliContext context, IReadOnlyCollection<string> names)
    {
        var variables = context.Variables.Where(variable => !names.Contains(variable.Key)).ToDictionary(StringComparer.Ordinal);
        // A program that is killed would leave its diagnostics socket in /tmp; who debugs one sets it to 1.
        variables.TryAdd("DOTNET_EnableDiagnostics", "0");
        return variables;
    }
}
