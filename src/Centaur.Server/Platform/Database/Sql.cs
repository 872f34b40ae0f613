using System.Runtime.CompilerServices;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Centaur.Server.Platform.Database;

/// <summary>
/// A statement written as one readable literal: <c>$"select … where id = {id}"</c>. Every hole becomes a typed positional parameter, so a value
/// can never become text of the statement. A hole of type <see cref="Jsonb"/> is sent as jsonb; null holes are sent as NULL of their type.
/// </summary>
[InterpolatedStringHandler]
public sealed class Sql
{
    readonly StringBuilder text;
    readonly List<NpgsqlParameter> parameters;

    public Sql(int literalLength, int formattedCount)
    {
        text = new StringBuilder(literalLength + formattedCount * 3);
        parameters = new List<NpgsqlParameter>(formattedCount);
    }

    public string Text => text.ToString();

    /// <summary>Gives a statement a name before it is run.</summary>
    public static Sql Of(Sql sql) => sql;

    public void AppendLiteral(string literal) => text.Append(literal);

    public void AppendFormatted<T>(T value) => Add(new NpgsqlParameter<T> { TypedValue = value });

    public void AppendFormatted(string? value) => Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)value ?? DBNull.Value });

    public void AppendFormatted(Jsonb value) =>
        Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = (object?)value.Text ?? DBNull.Value });

    public void AppendFormatted(Jsonb[] values) =>
        Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb, Value = values.Select(v => v.Text).ToArray() });

    public void AppendFormatted(long?[] values) => Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint, Value = values });

    public void AppendFormatted(long? value) => Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bigint, Value = (object?)value ?? DBNull.Value });

    public void AppendFormatted(int? value) => Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Integer, Value = (object?)value ?? DBNull.Value });

    internal NpgsqlCommand Command(NpgsqlConnection connection, NpgsqlTransaction? transaction)
    {
        var command = new NpgsqlCommand(Text, connection, transaction);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    internal NpgsqlBatchCommand BatchCommand()
    {
        var command = new NpgsqlBatchCommand(Text);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    void Add(NpgsqlParameter parameter)
    {
        parameters.Add(parameter);
        text.Append('$').Append(parameters.Count);
    }
}

/// <summary>JSON text that goes into a jsonb column; null for NULL.</summary>
public readonly record struct Jsonb(string? Text);
