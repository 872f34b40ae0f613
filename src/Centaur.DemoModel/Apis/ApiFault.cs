namespace Centaur.DemoModel.Apis;

/// <summary>A request that is refused.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Message">In the vendor's manner.</param>
/// <param name="Parameter">The member at fault, where the vendor names it.</param>
/// <param name="Code">The vendor's code, where it has one.</param>
internal sealed record ApiFault(int Status, string Message, string? Parameter = null, string? Code = null)
{
    public static ApiFault Missing(string parameter) =>
        new(StatusCodes.Status400BadRequest, $"Missing required parameter: '{parameter}'.", parameter, "missing_required_parameter");

    public static ApiFault WrongType(string parameter, string expected) =>
        new(StatusCodes.Status400BadRequest, $"Invalid type for '{parameter}': expected {expected}.", parameter, "invalid_type");

    public static ApiFault WrongValue(string parameter, string? value, IEnumerable<string> supported) =>
        new(StatusCodes.Status400BadRequest,
            $"Invalid value: '{value}'. Supported values are: {string.Join(", ", supported.Select(name => $"'{name}'"))}.", parameter, "invalid_value");

    public static ApiFault Unknown(string parameter) =>
        new(StatusCodes.Status400BadRequest, $"Unknown parameter: '{parameter}'.", parameter, "unknown_parameter");

    public static ApiFault Bad(string message, string? parameter = null) => new(StatusCodes.Status400BadRequest, message, parameter);
}
