using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;

namespace SpeedupLlm;

/// <summary>How far back memory reaches.</summary>
public enum Horizon
{
    /// <summary>The store.</summary>
    LongTerm,

    /// <summary>The last episodes of the conversation, in process, gone with it.</summary>
    ShortTerm,
}

/// <summary>Who asks: memory is scoped by it.</summary>
/// <param name="Tenant">The authenticated tenant; memory never crosses it.</param>
/// <param name="User">The user, or null for memory of the whole tenant.</param>
/// <param name="Conversation">The conversation, or null for memory of all conversations.</param>
public sealed record Caller(string Tenant, string? User = null, string? Conversation = null)
{
    /// <summary>Somebody on a single machine.</summary>
    public static Caller Local { get; } = new("local");
}

/// <summary>What is special about one question; what is null comes from the <see cref="SolverOptions"/>.</summary>
public sealed record SolveRequest
{
    /// <summary>Who asks.</summary>
    public Caller? Caller { get; init; }

    /// <summary>The question's stream of chance. The same stream, question and memory give the same answer on a deterministic model.</summary>
    public StreamKey? Stream { get; init; }

    /// <summary>Which calls may share prompt prefixes (see <see cref="CallInfo.CacheScope"/>).</summary>
    public string? CacheScope { get; init; }

    /// <summary>Hard caps.</summary>
    public Budget? Budget { get; init; }
}

/// <summary>How a <see cref="Solver"/> works.</summary>
public sealed record SolverOptions
{
    /// <summary>How attempts are drawn. Default: Best-of-N with N = 8.</summary>
    public IScalingMethod Scaling { get; init; } = new BestOfN();

    /// <summary>Scores attempts. Default: the model judges itself.</summary>
    public IScorer Scorer { get; init; } = new JudgeScorer();

    /// <summary>τ: an attempt with at least this score is accepted. ≥ 0, not NaN; above 1 no score stops a search (feedback that finds no fault, and probes that agree, still do). Default 0.5.</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>What is made of episodes and recalled, or null for nothing; with a <see cref="Store"/>, episodes are kept all the same. Default: <see cref="Auto"/>.</summary>
    public IMemory? Memory { get; init; } = new Auto();

    /// <summary>Where experience is kept at the long-term horizon; the caller disposes it. Null: in the process, if there is a memory.</summary>
    public IExperienceStore? Store { get; init; }

    /// <summary>How far back memory reaches. Default: long-term.</summary>
    public Horizon Horizon { get; init; } = Horizon.LongTerm;

    /// <summary>Episodes kept of a conversation at the short-term horizon, ≥ 1. Default 16.</summary>
    public int ShortTermEpisodes { get; init; } = 16;

    /// <summary>Conversations kept at the short-term horizon, ≥ 1: the one unused for longest goes first. Default 1024.</summary>
    public int ShortTermConversations { get; init; } = 1024;

    /// <summary>The words for the model. Null: the set that the model understands best.</summary>
    public IPromptSet? Prompts { get; init; }

    /// <summary>Embeds question texts.</summary>
    public ITextEmbedder Embedder { get; init; } = new HashedNgramEmbedder();

    /// <summary>Says which final answers mean the same.</summary>
    public IAnswerComparer Answers { get; init; } = new AnswerComparer();

    /// <summary>Hard caps of answering a question. Default: none.</summary>
    public Budget Budget { get; init; } = Budget.Unlimited;

    /// <summary>Hard caps of the model calls that learn from an answer; fine-tuning is booked when it is done, and never refused. Default: none.</summary>
    public Budget LearnBudget { get; init; } = Budget.Unlimited;

    /// <summary>What tokens cost.</summary>
    public PriceSheet Prices { get; init; } = PriceSheet.Relative;

    /// <summary>Who asks, unless the request says otherwise.</summary>
    public Caller Caller { get; init; } = Caller.Local;

    /// <summary>The root of all chance: a question's stream is its child by the question's id. Null: each question gets a fresh stream, as live traffic should.</summary>
    /// <remarks>An episode is named by its stream: asked twice under the same stream, a question makes one episode.</remarks>
    public StreamKey? Stream { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Called once for every question, answered, failed or cancelled, with what was spent: the ledger of callers that went away (case 6). Must be quick and must not throw.</summary>
    public Action<Solution>? Ended { get; init; }

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    internal void Validate()
    {
        if (double.IsNaN(Threshold) || Threshold < 0)
            throw new ArgumentOutOfRangeException(nameof(Threshold), Threshold, "τ is a number of at least 0.");
        ArgumentOutOfRangeException.ThrowIfLessThan(ShortTermEpisodes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ShortTermConversations, 1);
        Budget.Validate();
        LearnBudget.Validate();
    }
}
