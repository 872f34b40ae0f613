namespace Centaur.Server.Platform.Http;

/// <summary>What a handler returns: its answer, or the reason why there is none.</summary>
public readonly struct Outcome<T>
{
    readonly T? value;

    Outcome(T? value, ApiFailure? failure) => (this.value, Failure) = (value, failure);

    public ApiFailure? Failure { get; }

    public bool Succeeded => Failure is null;

    /// <summary>The answer; only where <see cref="Failure"/> is null.</summary>
    public T Value => Failure is null ? value! : throw new InvalidOperationException("There is no answer: the request was refused.");

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(ApiFailure failure) => new(default, failure);

    public IResult ToHttp(int status = StatusCodes.Status200OK) => Failure ?? (IResult)TypedResults.Json(value, ApiJson.Options, "application/json", status);
}
