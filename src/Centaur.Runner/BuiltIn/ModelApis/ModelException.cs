namespace Centaur.Runner.BuiltIn.ModelApis;

/// <summary>The model did not answer.</summary>
internal sealed class ModelException(string message, ModelFault fault = ModelFault.Final, TimeSpan? retryAfter = null) : Exception(message)
{
    public ModelFault Fault => fault;

    /// <summary>How long the model asks to be left alone.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>What may help.</summary>
internal enum ModelFault
{
    /// <summary>Nothing: the request or the key is wrong.</summary>
    Final,

    /// <summary>Asking again later.</summary>
    Passing,

    /// <summary>A shorter conversation.</summary>
    TooLong,
}
