using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace SpeedupLlm.Transformer.Tests.Formats;

/// <summary>llama.cpp (npm @node-llama-cpp/linux-x64 3.22.1) as the engine to compare with: on the CPU, one thread, keys and values in 32 bits.</summary>
/// <remarks>Called through function pointers; its two large option structures are passed as bytes, of which a few are set by their place in this version.</remarks>
internal sealed unsafe class LlamaCpp : IDisposable
{
    private static readonly Lock s_lock = new();
    private static nint s_library;
    private readonly nint _model;
    private readonly nint _vocabulary;
    private readonly nint _context;
    private readonly int _capacity;

    /// <summary>Opens a GGUF file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="context">Positions of all sequences together.</param>
    /// <param name="sequences">Sequences decoded together.</param>
    public LlamaCpp(string path, int context, int sequences = 1)
    {
        Start();
        var model = ((delegate* unmanaged<ModelOptions>)Export("llama_model_default_params"))();
        _model = WithText(path, p => ((delegate* unmanaged<byte*, ModelOptions, nint>)Export("llama_model_load_from_file"))((byte*)p, model));
        if (_model == 0)
            throw new InvalidDataException("llama.cpp refuses " + path);
        _vocabulary = ((delegate* unmanaged<nint, nint>)Export("llama_model_get_vocab"))(_model);
        var options = ((delegate* unmanaged<ContextOptions>)Export("llama_context_default_params"))();
        var fields = (int*)&options;
        Expect(fields, (0, 512), (1, 2048), (2, 512), (3, 1), (7, 4), (8, 4), (13, -1), (26, 1), (27, 1)); // the places this version has
        _capacity = context;
        (fields[0], fields[1], fields[2], fields[3]) = (context, context, context, sequences);
        (fields[7], fields[8]) = (1, 1);   // threads
        fields[13] = 0;                    // no flash attention
        (fields[26], fields[27]) = (0, 0); // keys and values: F32
        _context = ((delegate* unmanaged<nint, ContextOptions, nint>)Export("llama_init_from_model"))(_model, options);
        if (_context == 0)
            throw new InvalidOperationException("llama.cpp made no context.");
    }

    /// <summary>Tokens in its vocabulary.</summary>
    public int Count => ((delegate* unmanaged<nint, int>)Export("llama_vocab_n_tokens"))(_vocabulary);

    /// <summary>Its tokens of a text.</summary>
    public int[] Tokenize(string text, bool parseSpecial)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var tokens = new int[bytes.Length + 8];
        fixed (byte* b = bytes)
        fixed (int* t = tokens)
        {
            var count = ((delegate* unmanaged<nint, byte*, int, int*, int, byte, byte, int>)Export("llama_tokenize"))(
                _vocabulary, b, bytes.Length, t, tokens.Length, 0, parseSpecial ? (byte)1 : (byte)0);
            return tokens[..count];
        }
    }

    /// <summary>The bytes that it shows for a token.</summary>
    public byte[] Piece(int token)
    {
        var buffer = stackalloc byte[256];
        var count = ((delegate* unmanaged<nint, int, byte*, int, int, byte, int>)Export("llama_token_to_piece"))(_vocabulary, token, buffer, 256, 0, 1);
        return new ReadOnlySpan<byte>(buffer, count).ToArray();
    }

    /// <summary>Logits (T, V) of one sequence from its start.</summary>
    public float[][] Logits(ReadOnlySpan<int> tokens)
    {
        Forget();
        var rows = new (int, int, int)[tokens.Length];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = (0, i, tokens[i]);
        return Decode(rows, true);
    }

    /// <summary>Computes tokens of sequences; their logits if asked for, else none are computed.</summary>
    public float[][] Decode((int Sequence, int Position, int Token)[] rows, bool logits)
    {
        var batch = ((delegate* unmanaged<int, int, int, Batch>)Export("llama_batch_init"))(_capacity, 0, 1);
        try
        {
            batch.Count = rows.Length;
            for (var i = 0; i < rows.Length; i++)
            {
                batch.Tokens[i] = rows[i].Token;
                batch.Positions[i] = rows[i].Position;
                batch.SequenceCounts[i] = 1;
                batch.Sequences[i][0] = rows[i].Sequence;
                batch.Logits[i] = logits ? (byte)1 : (byte)0;
            }
            if (((delegate* unmanaged<nint, Batch, int>)Export("llama_decode"))(_context, batch) != 0)
                throw new InvalidOperationException("llama_decode failed.");
            if (!logits)
            {
                ((delegate* unmanaged<nint, void>)Export("llama_synchronize"))(_context);
                return [];
            }
            var all = new float[rows.Length][];
            for (var i = 0; i < rows.Length; i++)
                all[i] = new ReadOnlySpan<float>(((delegate* unmanaged<nint, int, float*>)Export("llama_get_logits_ith"))(_context, i), Count).ToArray();
            return all;
        }
        finally
        {
            ((delegate* unmanaged<Batch, void>)Export("llama_batch_free"))(batch);
        }
    }

    /// <summary>Empties the cache.</summary>
    public void Forget()
    {
        var memory = ((delegate* unmanaged<nint, nint>)Export("llama_get_memory"))(_context);
        ((delegate* unmanaged<nint, byte, void>)Export("llama_memory_clear"))(memory, 1);
    }

    public void Dispose()
    {
        ((delegate* unmanaged<nint, void>)Export("llama_free"))(_context);
        ((delegate* unmanaged<nint, void>)Export("llama_model_free"))(_model);
    }

    private static void Start()
    {
        lock (s_lock)
        {
            if (s_library != 0)
                return;
            var root = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(root, "SpeedupLlm.slnx")))
                root = Path.GetDirectoryName(root) ?? throw new DirectoryNotFoundException("The repository's root is not above the tests.");
            using (var install = Process.Start(new ProcessStartInfo(Path.Combine(root, "tests", "install-llama.sh")) { RedirectStandardError = true })!)
            {
                var error = install.StandardError.ReadToEnd();
                install.WaitForExit();
                if (install.ExitCode != 0)
                    throw new InvalidOperationException(error);
            }
            var folder = Path.Combine(root, ".cache", "llama", "node_modules", "@node-llama-cpp", "linux-x64", "bins", "linux-x64");
            var ggml = NativeLibrary.Load(Directory.GetFiles(folder, "libggml.v*.so").Single());
            var library = NativeLibrary.Load(Directory.GetFiles(folder, "libllama.v*.so").Single());
            ((delegate* unmanaged<delegate* unmanaged<int, byte*, void*, void>, void*, void>)NativeLibrary.GetExport(library, "llama_log_set"))(&Quiet, null);
            ((delegate* unmanaged<void>)NativeLibrary.GetExport(library, "llama_backend_init"))();
            WithText(folder, p =>
            {
                ((delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(ggml, "ggml_backend_load_all_from_path"))((byte*)p);
                return 0;
            });
            s_library = library;
        }
    }

    private static nint Export(string name) => NativeLibrary.GetExport(s_library, name);

    private static nint WithText(string text, Func<nint, nint> use)
    {
        var pointer = Marshal.StringToCoTaskMemUTF8(text);
        try
        {
            return use(pointer);
        }
        finally
        {
            Marshal.FreeCoTaskMem(pointer);
        }
    }

    private static void Expect(int* fields, params ReadOnlySpan<(int Place, int Value)> expected)
    {
        foreach (var (place, value) in expected)
            if (fields[place] != value)
                throw new NotSupportedException("This version of llama.cpp lays its options out in another way.");
    }

    [UnmanagedCallersOnly]
    private static void Quiet(int level, byte* text, void* user)
    {
    }

    // larger than the real ones, which begin at the same place: the callee reads only its own
    [InlineArray(512)]
    private struct ModelOptions
    {
        private byte _first;
    }

    [InlineArray(512)]
    private struct ContextOptions
    {
        private byte _first;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Batch
    {
        public int Count;
        public int* Tokens;
        public float* Embeddings;
        public int* Positions;
        public int* SequenceCounts;
        public int** Sequences;
        public byte* Logits;
    }
}
