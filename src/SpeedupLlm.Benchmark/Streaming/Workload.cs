using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Streaming;

/// <summary>A question of a stream.</summary>
/// <param name="Index">Its place in time, from 0.</param>
/// <param name="Topic">What it is about, numbered by first question.</param>
/// <param name="Kind">How it stands to the topic's base question: <c>new</c>, <c>S1</c> to <c>S4</c>, or <c>changed</c> (the first since the rule changed).</param>
/// <param name="Visit">How many questions about the topic came before under the same rule.</param>
/// <param name="Example">The question.</param>
internal sealed record StreamQuestion(int Index, int Topic, string Kind, int Visit, Example Example);

/// <summary>Draws a stream of questions: the same for every memory that is asked them.</summary>
internal static class Workload
{
    public const string New = "new", Changed = "changed";

    /// <summary>All kinds, in the order in which they are shown.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [New, "S1", "S2", "S3", "S4", Changed];

    /// <param name="data">Must have groups and levels.</param>
    /// <param name="options">What the stream is like.</param>
    /// <param name="key">The stream of chance.</param>
    /// <exception cref="ArgumentException">The data has no groups or levels.</exception>
    public static IReadOnlyList<StreamQuestion> Draw(IExampleSource data, WorkloadOptions options, StreamKey key)
    {
        options.Validate();
        if (data.LevelsAt(SimilarityLevel.S1) is null)
            throw new ArgumentException($"{data.Name} has no groups of alike questions that a stream could be made of.");
        var random = new StreamRandom(key);
        var groups = DistinctGroups(data).GetEnumerator();
        var topics = new List<Topic>();
        var questions = new List<StreamQuestion>(options.Questions);
        var change = (int)Math.Ceiling(options.ChangeAfter * options.Questions);
        for (var index = 0; index < options.Questions; index++)
        {
            if (index == change)
                Change(topics, data);
            var kind = random.Weighted(options.Mix.Shares);
            if (topics.Count == 0 || kind == New)
            {
                if (groups.MoveNext())
                    topics.Add(new(topics.Count, groups.Current));
                else
                    kind = random.Weighted(options.Mix.Shares.Where(s => s.Kind != New).ToList());
            }

            var topic = kind == New || topics[^1].Visits == 0 ? topics[^1] : topics[Zipf(random, topics.Count, options.Zipf)];
            questions.Add(topic.Ask(index, kind, data));
        }

        return questions;
    }

    /// <summary>Groups whose subject no earlier one has: two firms of one name would be one topic with two rules.</summary>
    private static IEnumerable<int> DistinctGroups(IExampleSource data)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        // names run out some time: who has drawn a thousand known ones in a row has seen nearly all
        for (int group = 0, repeats = 0; (data.Groups is not { } all || group < all) && repeats < 1000; group++)
        {
            if (!seen.Add(data.SubjectOf(group)))
            {
                repeats++;
                continue;
            }

            repeats = 0;
            yield return group;
        }
    }

    private static void Change(List<Topic> topics, IExampleSource data)
    {
        foreach (var topic in topics.Where(t => t.Number % 2 == 0 && data.AfterChange(t.Group, SimilarityLevel.S1, 0) is not null))
            topic.Change();
    }

    private static int Zipf(StreamRandom random, int topics, double exponent)
    {
        var sum = 0.0;
        for (var t = 0; t < topics; t++)
            sum += Math.Pow(t + 1, -exponent);
        var at = random.NextDouble() * sum;
        for (var t = 0; t < topics - 1; t++)
        {
            at -= Math.Pow(t + 1, -exponent);
            if (at < 0)
                return t;
        }

        return topics - 1;
    }

    /// <summary>A kind by its share.</summary>
    private static string Weighted(this StreamRandom random, IReadOnlyList<(string Kind, double Share)> shares)
    {
        var at = random.NextDouble() * shares.Sum(s => s.Share);
        foreach (var (kind, share) in shares)
        {
            at -= share;
            if (at < 0)
                return kind;
        }

        return shares[^1].Kind;
    }

    /// <summary>A topic, and what of it was asked.</summary>
    private sealed class Topic(int number, int group)
    {
        private readonly Dictionary<SimilarityLevel, int> _asked = [];
        private bool _changed;

        public int Number => number;

        public int Group => group;

        public int Visits { get; private set; }

        public void Change()
        {
            _changed = true;
            _asked.Clear();
            Visits = 0;
        }

        public StreamQuestion Ask(int index, string kind, IExampleSource data)
        {
            if (Visits == 0)
                return new(index, number, _changed ? Changed : New, Visits++, At(data, SimilarityLevel.S1, 0));
            var similarity = Enum.Parse<SimilarityLevel>(kind);
            var asked = _asked.GetValueOrDefault(similarity);
            _asked[similarity] = asked + 1;
            // data with few variations asks them again
            return new(index, number, kind, Visits++, At(data, similarity, 1 + asked % data.LevelsAt(similarity)!.Value));
        }

        private Example At(IExampleSource data, SimilarityLevel similarity, int level) =>
            (_changed ? data.AfterChange(group, similarity, level) : null) ?? data.At(group, similarity, level);
    }
}
