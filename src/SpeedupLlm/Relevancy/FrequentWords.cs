namespace SpeedupLlm.Relevancy;

/// <summary>How much a word says of what a question is about, without a corpus: words that every question may have say little, names and technical words say most.</summary>
internal static class FrequentWords
{
    private static readonly HashSet<string> Function = Read(
        """
        a about above after again all also am an and any are as at be because been before being below between both but by can could did do does doing down
        during each either else ever every few for from had has have having he her here hers him his how i if in into is it its just let me might more most
        must my no nor not of off on once one only or other our out over own per please same shall she should so some such than that the their theirs them
        then there these they this those through to too under until up upon us very was we were what when where whether which while who whom whose why will
        with within without would you your
        """);

    private static readonly HashSet<string> Frequent = Read(
        """
        able add age ago amount answer apple area arrive ask away average back bag ball bank base begin best better big bill bird block blue boat book both
        bottle bottom bought box boy bread break bring brother build bus buy cake calculate call came candy car card care carry cat change charge cheap child
        children choose city class clean clock close cloth club coin cold color come company contain continue cook copy correct cost count country cover cup
        cut daily dark daughter day decide deep dog dollar door double draw drink drive drop early earn easy eat egg email end enough enter equal even evening
        example explain eye face fact fall family far farm fast father feel fewer field fill film final find finish fire first fish flat floor flower fly food
        foot form found free friend front fruit full game garden gave get girl give glass go goal gold good got grade great green ground group grow guess half
        hand happen happy hard hat head hear heavy height help high hold home hope horse hot hour house hundred idea inch including initial inside item job jump
        keep kid kind know large last late later lead leaf learn least leave left length less lesson letter level life light like line list little live long look
        lose lost lot low lunch machine made make man many mark market math matter may mean measure meet member men metre meter mile milk mind minute miss mix
        money month morning mother mouth move movie much music name near need never new next night north note now number odd offer office often old open order
        original ounce outside page paid paint pair paper parcel parent park part party pass past pay pencil penny people percent person phone pick picture
        piece place plan plant play player point pool post pound pour practice price print problem profit pull purchase put quarter question quick rain rate
        reach read ready real receive red remain remaining rent rest result return rice ride right river road room round row run sale saw say school score sea
        seat second see sell send sentence serve set several share shelf shirt shoe shop short show side sing single sister sit size sleep slice small sold son
        song soon sound south space speak speed spend spent split sport spread stand start state stay step still stone stop store story street student study
        sum summer sun sure swim table take talk tall teach teacher team tell ten test thing think third thought ticket time today together told took top total
        toward town toy train travel tree trip truck true try turn twice two type unit use usual value visit wait walk wall want wash watch water way wear week
        weigh weight well went west wide wife win window winter wish woman women wood word work world worth write wrong yard year yellow yes yesterday young zero
        east km kg cm mm ml kilometre kilogram litre liter gram centimetre charged costs paying
        """);

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> Stems = Frequent.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>0 for function words, 1 for frequent words and their plain inflections, 2 for all others.</summary>
    public static int Rarity(string word) => Function.Contains(word) ? 0 : Frequent.Contains(word) || IsInflected(word) ? 1 : 2;

    private static bool IsInflected(ReadOnlySpan<char> word) =>
        (word.EndsWith('s') && (Stems.Contains(word[..^1]) || (word.EndsWith("es") && Stems.Contains(word[..^2]))))
        || (word.EndsWith("ed") && (Stems.Contains(word[..^2]) || Stems.Contains(word[..^1])))
        || (word.EndsWith("ing") && (Stems.Contains(word[..^3]) || Stems.Contains($"{word[..^3]}e")));

    private static HashSet<string> Read(string words) => new(words.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal);
}
