using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Sql;

/// <summary>Why a statement is not passed on. The numbers travel to the upstream and back; see <c>RefusalMarker</c>.</summary>
enum RefusalReason
{
    None = 0,
    Unreadable = 1,
    Role = 2,
    PinnedSetting = 3,
    Reset = 4,
    SetConfig = 5,
    SettingsTable = 6,
    DoBlock = 7,
    RoutineLanguage = 8,
    DynamicSql = 9,
    FunctionCall = 10,
    Program = 11,
    TooLong = 12,
    StringSyntax = 13,
    Encoding = 14,
    ServerWide = 15,
}

/// <summary>What a client reads for each reason.</summary>
static class RefusalTexts
{
    public static (string SqlState, string Message, string Hint) Of(RefusalReason reason) => reason switch
    {
        RefusalReason.Unreadable => (SqlStates.SyntaxError, "This statement cannot be read, so it cannot be judged.", "Close every quote and comment, write escapes without surrogate pairs, and send no zero bytes."),
        RefusalReason.Role => (SqlStates.InsufficientPrivilege, "The role of this session is chosen by the operator and cannot be changed.", "Remove SET ROLE, SET SESSION AUTHORIZATION and their RESET."),
        RefusalReason.PinnedSetting => (SqlStates.InsufficientPrivilege, "This setting is pinned by the operator and cannot be changed.", "Remove the statement; SHOW tells the value that is in force."),
        RefusalReason.Reset => (SqlStates.InsufficientPrivilege, "RESET ALL and DISCARD ALL would undo the role or the settings that the operator pinned.", "Reset settings by name. For Npgsql: No Reset On Close=true."),
        RefusalReason.SetConfig => (SqlStates.InsufficientPrivilege, "set_config is not available here.", "Use SET name = value."),
        RefusalReason.SettingsTable => (SqlStates.InsufficientPrivilege, "pg_settings may only be read here.", "Use SET name = value."),
        RefusalReason.DoBlock => (SqlStates.FeatureNotSupported, "DO blocks are not available here.", "Send the statements themselves."),
        RefusalReason.RoutineLanguage => (SqlStates.InsufficientPrivilege, "A routine may be written in SQL or PL/pgSQL here, named in its LANGUAGE clause.", "Write LANGUAGE sql or LANGUAGE plpgsql."),
        RefusalReason.DynamicSql => (SqlStates.InsufficientPrivilege, "A statement that is made at run time (EXECUTE in a body, query_to_xml, dblink and the like, a routine inside a body) cannot be judged.", "Write the statement out."),
        RefusalReason.FunctionCall => (SqlStates.InsufficientPrivilege, "The FunctionCall message is not available here.", "Call the function in a SELECT."),
        RefusalReason.Program => (SqlStates.InsufficientPrivilege, "COPY with a program is not available here.", "Use COPY FROM STDIN or COPY TO STDOUT."),
        RefusalReason.TooLong => (SqlStates.ProgramLimitExceeded, "This statement is longer than the proxy reads.", "Send data with COPY or as parameters."),
        RefusalReason.StringSyntax => (SqlStates.InsufficientPrivilege, "standard_conforming_strings stays on here.", "Write backslash escapes as E'…'."),
        RefusalReason.Encoding => (SqlStates.FeatureNotSupported, "This client_encoding is not supported here.", "Use UTF8."),
        RefusalReason.ServerWide => (SqlStates.InsufficientPrivilege, "ALTER SYSTEM, LOAD and CREATE LANGUAGE are not available here.", "Ask the operator."),
        _ => (SqlStates.InsufficientPrivilege, "This statement is not available here.", "Ask the operator."),
    };
}
