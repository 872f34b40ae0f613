namespace Centaur.Protocol.Policy.Templates;

/// <summary>A template that cannot be used; the message says where and why. Never leaves the reading of a template.</summary>
internal sealed class TemplateException(int position, string problem) : Exception($"at character {position + 1}: {problem}");
