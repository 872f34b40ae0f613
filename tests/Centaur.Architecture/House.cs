using System.Text.RegularExpressions;
using Mono.Cecil;

namespace Centaur.Architecture;

/// <summary>The checkout and the programs built from it, as the rules see them.</summary>
internal static partial class House
{
    static readonly Lazy<string> LazyRoot = new(() =>
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Centaur.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("No Centaur.slnx above the test program: run it from a checkout.");
    });

    public static string Root => LazyRoot.Value;

    /// <summary>Every C# file that people wrote, by its path from the root.</summary>
    public static IEnumerable<SourceFile> Sources(params string[] folders) =>
        from top in folders
        from path in Directory.EnumerateFiles(Path.Combine(Root, top), "*.cs", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Root, path)
        where !relative.Split('/').Any(part => part is "bin" or "obj")
        select new SourceFile(relative, File.ReadAllText(path));

    public static AssemblyDefinition Assembly(string name) =>
        AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, name + ".dll"));

    /// <summary>Pairs of namespaces such that a type of the first mentions a type of the second; both inside <paramref name="rootNamespace"/>, cut to its slices.</summary>
    public static IReadOnlyCollection<(string From, string To, string Example)> Arrows(AssemblyDefinition assembly, string rootNamespace)
    {
        var arrows = new Dictionary<(string, string), string>();
        foreach (var type in assembly.MainModule.GetTypes())
        {
            if (Slice(type, rootNamespace) is not { } from)
                continue;
            foreach (var mentioned in Mentions(type))
            {
                if (Slice(mentioned, rootNamespace) is { } to && to != from)
                    arrows.TryAdd((from, to), $"{type.FullName} → {mentioned.FullName}");
            }
        }
        return arrows.Select(a => (a.Key.Item1, a.Key.Item2, a.Value)).ToList();
    }

    static string? Slice(TypeReference type, string rootNamespace)
    {
        while (type.DeclaringType is { } outer)
            type = outer;
        var space = type.Namespace;
        if (space == rootNamespace)
            return type.Name == "Program" ? "Program" : null;
        return space.StartsWith(rootNamespace + ".", StringComparison.Ordinal) ? space[(rootNamespace.Length + 1)..].Split('.')[0] : null;
    }

    static IEnumerable<TypeReference> Mentions(TypeDefinition type)
    {
        IEnumerable<TypeReference?> direct =
        [
            type.BaseType,
            .. type.Interfaces.Select(i => i.InterfaceType),
            .. type.Fields.Select(f => f.FieldType),
            .. type.Methods.SelectMany(OfMethod),
        ];
        return direct.OfType<TypeReference>().SelectMany(Unfold);
    }

    static IEnumerable<TypeReference?> OfMethod(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(p => p.ParameterType),
        .. method.HasBody ? method.Body.Variables.Select(v => v.VariableType) : [],
        .. method.HasBody
            ? method.Body.Instructions.SelectMany(i => i.Operand switch
            {
                GenericInstanceMethod generic => (IEnumerable<TypeReference?>)[generic.DeclaringType, .. generic.GenericArguments],
                MemberReference member and not TypeReference => [member.DeclaringType],
                TypeReference mentioned => [mentioned],
                _ => [],
            })
            : [],
    ];

    static IEnumerable<TypeReference> Unfold(TypeReference type) => type switch
    {
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Unfold).Prepend(generic.ElementType),
        TypeSpecification wrapped => Unfold(wrapped.ElementType),
        _ => [type],
    };

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline, matchTimeoutMilliseconds: 5_000)]
    internal static partial Regex NamespaceLine();
}

/// <param name="Path">From the checkout's root, with slashes.</param>
/// <param name="Text">The whole file.</param>
internal sealed record SourceFile(string Path, string Text)
{
    public int Lines => Text.AsSpan().Count('\n');

    public string Folder => Path[..Path.LastIndexOf('/')];

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public string Project => Path.Split('/')[1];

    public string? Namespace => House.NamespaceLine().Match(Text) is { Success: true } found ? found.Groups["name"].Value : null;
}
