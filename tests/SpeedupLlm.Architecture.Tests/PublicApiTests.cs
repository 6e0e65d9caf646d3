using System.Reflection;
using System.Text;

namespace SpeedupLlm.Architecture.Tests;

/// <summary>The public surface against committed text: a change of it is seen in review. <c>SPEEDUP_ACCEPT=1</c> writes it anew.</summary>
public sealed class PublicApiTests
{
    public static TheoryData<string> Libraries() =>
        [.. Repository.SourceProjects.Select(p => Path.GetFileNameWithoutExtension(p)!).Where(p => p != "SpeedupLlm.Cli")];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void PublicApi_IsTheCommittedOne(string project)
    {
        var actual = Describe(Assembly.Load(project));
        var file = Path.Combine(Repository.Root, "tests", "SpeedupLlm.Architecture.Tests", "Api", project + ".txt");
        if (Environment.GetEnvironmentVariable("SPEEDUP_ACCEPT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }

        Assert.True(File.Exists(file), $"{file} is missing; SPEEDUP_ACCEPT=1 writes it");
        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), actual);
    }

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        // the Razor compiler makes every component public: no choice of ours
        foreach (var type in assembly.GetExportedTypes().Where(t => !IsComponent(t)).OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(KindOf(type)).Append(' ').Append(NameOf(type)).Append('\n');
            var members = type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                .Where(IsVisible).Select(Line).OfType<string>().Distinct().Order(StringComparer.Ordinal);
            foreach (var member in members)
                text.Append("  ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    private static bool IsComponent(Type? type) => type is not null && (type.Name == "_Imports" || type.FullName == "Microsoft.AspNetCore.Components.ComponentBase" || IsComponent(type.BaseType));

    private static string KindOf(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
        : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";

    /// <summary>What records generate is no choice of ours.</summary>
    private static bool IsVisible(MemberInfo member) => member switch
    {
        _ when member.Name is "<Clone>$" or "PrintMembers" or "EqualityContract" or "get_EqualityContract" or "Equals" or "GetHashCode" or "ToString" or "op_Equality" or "op_Inequality" => false,
        MethodBase method => (method.IsPublic || method.IsFamily) && (!method.IsSpecialName || method is ConstructorInfo || method.Name.StartsWith("op_", StringComparison.Ordinal)),
        FieldInfo field => (field.IsPublic || field.IsFamily) && !field.IsSpecialName,
        PropertyInfo property => property.GetAccessors(true).Any(a => a.IsPublic || a.IsFamily),
        _ => false,
    };

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo c => $"new({Parameters(c)})",
        MethodInfo m => $"{(m.IsStatic ? "static " : "")}{NameOf(m.ReturnType)} {m.Name}({Parameters(m)})",
        PropertyInfo p => $"{NameOf(p.PropertyType)} {p.Name} {{{(p.GetMethod is not null ? " get;" : "")}{(p.SetMethod is { } s ? (IsInit(s) ? " init;" : " set;") : "")} }}",
        FieldInfo f when f.DeclaringType!.IsEnum => FormattableString.Invariant($"{f.Name} = {f.GetRawConstantValue()}"),
        FieldInfo f => $"{(f.IsLiteral ? "const " : f.IsStatic ? "static " : "")}{NameOf(f.FieldType)} {f.Name}",
        _ => null,
    };

    private static bool IsInit(MethodInfo setter) => setter.ReturnParameter.GetRequiredCustomModifiers().Any(m => m.Name == "IsExternalInit");

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p => $"{NameOf(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? " = default" : "")}"));

    private static string NameOf(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
            return NameOf(inner) + "?";
        if (type.IsArray)
            return NameOf(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter)
            return type.Name;
        var name = (type.Namespace is { } space && space.StartsWith("SpeedupLlm", StringComparison.Ordinal) && !type.IsNested ? space + "." : type.IsNested ? NameOf(type.DeclaringType!) + "." : "") + type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>" : name;
    }
}
