using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Adapter;
using SpeedupLlm.Transformer.Tokenizer;
using SpeedupLlm.Transformer.Training;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Apprentice;

/// <summary>The numbered training examples of a recipe: a world's texts in the tokens of the chat template that also asks.</summary>
internal sealed class ApprenticeTexts(ApprenticeRecipe recipe, IWorld world)
{
    private readonly StreamKey _texts = StreamKey.Root(recipe.Seed).Child("texts");
    private readonly ChatTemplate _template = new(new PieceTokenizer(Vocabulary(world)));

    /// <summary>The vocabulary of a world.</summary>
    public static PieceVocabulary Vocabulary(IWorld world) => new(ChatTemplate.Specials, world.Pieces);

    /// <summary>The example with a number: pure, any order, any thread.</summary>
    public TrainingExample Example(long index)
    {
        var stream = _texts;
        while (true)
        {
            var text = world.Sample(stream, index, recipe.WithMemory);
            var example = _template.Example(text.Prompt, [.. text.Target.Select(s => (s.Text, s.Weight))], text.LearnPrompt ? recipe.PromptWeight : 0);
            if (example.Tokens.Length <= recipe.LongestText)
                return example;
            stream = stream.Child("again");
        }
    }
}
