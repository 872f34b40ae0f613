using System.Globalization;
using Centaur.Server.Platform.Database;
using Centaur.Server.Platform.Faults;
using Npgsql;

namespace Centaur.Server.Threads.Query;

/// <summary>
/// The role in which queries run: it cannot log in and may select from the views of the schema <c>readable</c> alone. Roles belong to the whole Postgres cluster, so its name carries
/// this database's number. It is made at the start; where the server's user may not make it, queries are off until an operator has.
/// </summary>
internal sealed class QueryRole(PostgresDatabase database) : IStartStep
{
    static readonly CrashPoint Making = new("query_role.make");

    /// <summary>The role's name; null until it is known to be there.</summary>
    public string? Name { get; private set; }

    /// <summary>What an operator can do about a role that could not be made.</summary>
    public string Repair { get; private set; } = "The server is starting.";

    public async Task Run(CancellationToken cancellationToken)
    {
        var (role, user) = await database.First(
            $"select 'centaur_query_' || oid, current_user::text from pg_database where datname = current_database()",
            row => (row.GetString(0), row.GetString(1)),
            cancellationToken);
        try
        {
            await database.InTransaction(Making, session => Make(session, role, cancellationToken), cancellationToken);
            Name = role;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            Repair = string.Create(
                CultureInfo.InvariantCulture,
                $"Queries are off: the server's database user may not make the role {role}. As a superuser run: create role {role} nologin; grant {role} to \"{user}\"; then start the server again.");
        }
    }

    static async Task Make(SqlSession session, string role, CancellationToken cancellationToken)
    {
        await session.Execute($"select pg_advisory_xact_lock(hashtext({role}))", cancellationToken);
        if (await session.First($"select 1 from pg_roles where rolname = {role}", row => row.GetInt32(0), cancellationToken) == 0)
        {
            await session.Execute(Statement($"create role {role} nologin"), cancellationToken);
            // Since Postgres 16 who makes a role may not yet act as it.
            await session.Execute(Statement($"grant {role} to current_user"), cancellationToken);
        }

        await session.Execute(Statement($"grant usage on schema readable to {role}"), cancellationToken);
        await session.Execute(Statement($"grant select on all tables in schema readable to {role}"), cancellationToken);
        // One that was made by hand may not have been granted to this user: better told now than at the first query.
        await session.Execute($"select set_config('role', {role}, true)", cancellationToken);
        await session.Execute($"select set_config('role', 'none', true)", cancellationToken);
    }

    /// <summary>A name of a role cannot be a parameter; this one is letters, underscores and digits of our own.</summary>
    static Sql Statement(string text)
    {
        var sql = new Sql(text.Length, 0);
        sql.AppendLiteral(text);
        return sql;
    }
}
