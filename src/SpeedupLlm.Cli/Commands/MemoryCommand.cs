using System.CommandLine;
using System.Globalization;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup memory</c>: shows and changes what <c>ask</c> remembers.</summary>
internal static class MemoryCommand
{
    private const string Right = "right", Wrong = "wrong";

    public static Command Create() => new("memory", "Shows and changes what is remembered.") { List(), Show(), Forget(), Feedback(), Audit(), Export(), Import() };

    private static Argument<string> Id() => new("ID") { Description = "An episode, as list shows it." };

    private static Command List()
    {
        var store = StoreSource.Option();
        Option<int> limit = new("--limit") { Description = "Episodes to show, newest first.", DefaultValueFactory = _ => 20 };
        var command = new Command("list", "Lists episodes, newest first, and what was made from them.") { store, limit };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var opened = await StoreSource.OpenExistingAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            var left = parsed.GetValue(limit);
            if (left < 1)
                throw new UsageException("--limit is at least 1");
            foreach (var scope in await ScopesAsync(opened, cancellationToken).ConfigureAwait(false))
            {
                Console.WriteLine($"model {scope.ModelFingerprint}, prompts {scope.PromptFingerprint}");
                await foreach (var episode in opened.ListAsync(new(scope, "", UsableOnly: false), cancellationToken).ConfigureAwait(false))
                {
                    if (left-- <= 0)
                        break;
                    Console.WriteLine($"  {episode.Id}  {Standing(episode),-10} {episode.Final ?? "-",-8} {Cut(episode.Question)}");
                }

                await foreach (var document in opened.ListDocumentsAsync(scope, null, cancellationToken).ConfigureAwait(false))
                    Console.WriteLine($"  {document.Kind} {document.Key}: {(document.Text.Length > 0 ? Cut(document.Text) : Number(document.Content.Length) + " bytes")}, from {Number(document.Sources.Count)} episodes");
            }

            var health = await opened.CheckAsync(cancellationToken).ConfigureAwait(false);
            Console.WriteLine($"{Number(health.Episodes)} episodes, {Number(health.Documents)} lessons and adapters"
                + (health.SetAside > 0 ? $", {Number(health.SetAside)} bad records set aside" : "") + (health.Degraded is { } why ? $"; degraded: {why}" : ""));
            return 0;
        });
        return command;
    }

    private static Command Show()
    {
        var id = Id();
        var store = StoreSource.Option();
        var command = new Command("show", "Shows one episode.") { id, store };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var opened = await StoreSource.OpenExistingAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            var e = await FindAsync(opened, parsed.GetValue(id)!, cancellationToken).ConfigureAwait(false);
            Console.WriteLine($"episode    {e.Id}");
            Console.WriteLine($"answered   {e.At.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}");
            Console.WriteLine($"question   {e.Question}");
            Console.WriteLine($"answer     {e.Final ?? "none"}");
            Console.WriteLine($"worked     {e.Answer ?? "nothing to reuse"}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"verdict    {e.Verdict.ToString().ToLowerInvariant()}, score {e.Score:0.00}, stopped by {e.Stop.ToString().ToLowerInvariant()}"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"cost       {e.Operations} operations, full cost {e.FullCost}"));
            if (e.Suspicion is { } suspicion)
                Console.WriteLine($"set aside  {suspicion}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"recalled   helped {e.Helped}, did not help {e.Harmed}"));
            return 0;
        });
        return command;
    }

    private static Command Forget()
    {
        var id = Id();
        var store = StoreSource.Option();
        var command = new Command("forget", "Forgets an episode and every lesson and adapter made from it.") { id, store };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var opened = await StoreSource.OpenExistingAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            var gone = await opened.ForgetAsync(StoreSource.Tenant, parsed.GetValue(id)!, cancellationToken).ConfigureAwait(false);
            if (gone == 0)
                throw Unknown(parsed.GetValue(id)!);
            Console.WriteLine($"forgot {Number(gone)} {(gone == 1 ? "record" : "records")}");
            return 0;
        });
        return command;
    }

    private static Command Feedback()
    {
        var id = Id();
        Argument<string?> verdict = new("VERDICT") { Description = "right or wrong.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> answer = new("--answer") { Description = "In the place of VERDICT: what would have been right, worked out. It is remembered instead." };
        var store = StoreSource.Option();
        var command = new Command("feedback", "Says whether a remembered answer is right, or what would have been; a wrong one is not used again, nor what was made from it.") { id, verdict, answer, store };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (said, told) = (parsed.GetValue(verdict), parsed.GetValue(answer));
            if (said is not null && told is not null)
                throw new UsageException("--answer stands in the place of right or wrong: say one of them");
            if (told is null && said is not (Right or Wrong))
                throw new UnknownNameException("verdict", said ?? "", [Right, Wrong]);
            if (told is not null && string.IsNullOrWhiteSpace(told))
                throw new UsageException("--answer is empty");
            await using var opened = await StoreSource.OpenExistingAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            var episode = await opened.HearAsync(
                StoreSource.Tenant, parsed.GetValue(id)!, told is not null ? SpeedupLlm.Feedback.Reference(told) : said == Right ? SpeedupLlm.Feedback.Right : SpeedupLlm.Feedback.Wrong, cancellationToken).ConfigureAwait(false) ?? throw Unknown(parsed.GetValue(id)!);
            if (said == Right && episode.Answer is null)
                throw new UsageException($"episode {episode.Id} has no answer to reuse");
            Console.WriteLine($"{episode.Id} is {(told is null ? said : "corrected")}");
            return 0;
        });
        return command;
    }

    private static Command Audit()
    {
        var store = StoreSource.Option();
        Option<int> count = new("--count") { Description = "Answers to pick.", DefaultValueFactory = _ => 5 };
        var command = new Command("audit", "Picks answers by chance for somebody who knows to mark, and says how accurate all are by those marked so far.") { store, count };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(count) < 1)
                throw new UsageException("--count is at least 1");
            await using var opened = await StoreSource.OpenExistingAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            foreach (var scope in await ScopesAsync(opened, cancellationToken).ConfigureAwait(false))
            {
                Console.WriteLine($"model {scope.ModelFingerprint}, prompts {scope.PromptFingerprint}");
                foreach (var episode in await opened.PickAsync(scope, parsed.GetValue(count), Compute.StreamKey.Fresh(), cancellationToken).ConfigureAwait(false))
                    Console.WriteLine($"  {episode.Id}  {episode.Final ?? "-",-8} {episode.Question}");
                Console.WriteLine(await opened.AccuracyAsync(scope, cancellationToken).ConfigureAwait(false) is { } accuracy
                    ? string.Create(CultureInfo.InvariantCulture, $"  {accuracy.Estimate:P0} of the answers are right [{accuracy.Low:P0}, {accuracy.High:P0}]: {accuracy.Audited} marked, {accuracy.JudgedOnly} scored only")
                    : string.Create(CultureInfo.InvariantCulture, $"  how many are right is not known: it takes {Guard.AuditedAccuracy.LeastAudited} marked ones; mark them with 'speedup memory feedback ID right|wrong'"));
            }

            return 0;
        });
        return command;
    }

    private static Command Export()
    {
        Argument<string> file = new("FILE") { Description = "The file to write, JSONL." };
        var store = StoreSource.Option();
        var command = new Command("export", "Writes all that is remembered to a file.") { file, store };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var opened = await StoreSource.OpenExistingAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            await using var stream = File.Create(parsed.GetValue(file)!);
            var records = await ExperienceFile.ExportAsync(opened, StoreSource.Tenant, stream, cancellationToken).ConfigureAwait(false);
            Console.WriteLine($"wrote {Number(records)} records to {parsed.GetValue(file)}");
            return 0;
        });
        return command;
    }

    private static Command Import()
    {
        Argument<string> file = new("FILE") { Description = "A file that export wrote." };
        var store = StoreSource.Option();
        var command = new Command("import", "Adds what a file remembers; what is there already stays.") { file, store };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var path = DataSource.Existing(parsed.GetValue(file)!);
            await using var opened = await StoreSource.OpenAsync(parsed.GetValue(store), cancellationToken).ConfigureAwait(false);
            await using var stream = File.OpenRead(path);
            var imported = await ExperienceFile.ImportAsync(opened, StoreSource.Tenant, stream, cancellationToken).ConfigureAwait(false);
            Console.WriteLine($"added {Number(imported.Episodes)} episodes and {Number(imported.Documents)} lessons and adapters; {Number(imported.Kept)} were there already");
            return 0;
        });
        return command;
    }

    /// <summary>The scopes of all users and conversations.</summary>
    private static async ValueTask<IReadOnlyList<Scope>> ScopesAsync(IExperienceStore store, CancellationToken cancellationToken) =>
        [.. (await store.ScopesAsync(StoreSource.Tenant, cancellationToken).ConfigureAwait(false)).Select(s => s with { User = null, Conversation = null }).Distinct()];

    private static async ValueTask<Episode> FindAsync(IExperienceStore store, string id, CancellationToken cancellationToken) =>
        await store.GetEpisodeAsync(StoreSource.Tenant, id, cancellationToken).ConfigureAwait(false) ?? throw Unknown(id);

    private static UsageException Unknown(string id) => new($"there is no episode {id}; 'speedup memory list' shows them");

    /// <summary>The verdict; of an episode that is not recalled any more, that.</summary>
    private static string Standing(Episode episode) =>
        episode.Suspicion is { } why ? $"set aside: {why};"
        : episode.Usable && episode.Harmed - episode.Helped >= new AutoOptions().HarmLimit ? $"set aside: did not help {Number(episode.Harmed)} of {Number(episode.Harmed + episode.Helped)} times;"
        : episode.Verdict.ToString().ToLowerInvariant();

    private static string Cut(string text) => text.Length > 90 ? text[..89] + "…" : text;

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
