using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Models;

/// <summary>Fine-tunes a model behind an endpoint with OpenAI's files and fine-tuning jobs API. The adapter's id is the new model's name. Thread-safe.</summary>
/// <remarks>
/// Unlike the embedded reasoner's it is not pure: the endpoint decides what comes out. It takes minutes to hours and costs money.
/// Tokens are those that the endpoint says it trained, else estimated; losses are NaN where the endpoint tells none.
/// A job whose caller goes away, or that outlasts the deadline, is cancelled at the endpoint.
/// </remarks>
internal sealed class OpenAiFineTuner(OpenAiOptions options, EndpointTransport transport, TimeProvider time) : IAdapterTrainer
{
    private readonly FineTuneOptions _tuning = options.FineTuning ?? new();

    public async ValueTask<TrainedAdapter> TrainAsync(AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentOutOfRangeException.ThrowIfZero(pairs.Count);
        Check(from);
        var lines = string.Concat(pairs.Select(p => TrainingFile.ToLine(p) + "\n"));
        var file = await UploadAsync(lines, cancellationToken);
        try
        {
            var job = await CreateAsync(from?.Id ?? options.Model, file, stream, cancellationToken);
            var done = await WaitAsync(Id(job, "a fine-tuning job"), cancellationToken);
            var model = done.Text("fine_tuned_model") ?? throw transport.Errors.NoAnswer("a finished fine-tuning job without a model");
            var (before, after) = await LossesAsync(Id(done, "a fine-tuning job"), cancellationToken);
            return new(new(model, options.Fingerprint), done.Count("trained_tokens") ?? Estimate(lines), before, after);
        }
        finally
        {
            if (!_tuning.KeepFile)
                await QuietlyAsync("DELETE", "/files/" + Uri.EscapeDataString(file));
        }
    }

    public ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        Check(adapter);
        return ValueTask.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(
            new JsonObject { ["formatVersion"] = 1, ["fineTunedModel"] = adapter.Id, ["model"] = adapter.ModelFingerprint }.ToJsonString()));
    }

    public ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            if (document.RootElement.Text("fineTunedModel") is { } id && document.RootElement.Text("model") == options.Fingerprint)
                return ValueTask.FromResult(new AdapterRef(id, options.Fingerprint));
        }
        catch (JsonException)
        {
            // said below, as for any other content
        }
        throw new InvalidDataException($"The bytes are no adapter of {options.Fingerprint}.");
    }

    private async Task<string> UploadAsync(string lines, CancellationToken cancellationToken)
    {
        var name = $"speedup-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines)).AsSpan(0, 8))}.jsonl";
        var boundary = "speedup-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("boundary" + lines)).AsSpan(0, 12));
        using var form = new MultipartFormDataContent(boundary)
        {
            { new StringContent("fine-tune"), "purpose" },
            { new ByteArrayContent(Encoding.UTF8.GetBytes(lines)), "file", name },
        };
        var body = BinaryData.FromBytes(await form.ReadAsByteArrayAsync(cancellationToken));
        return Id(await transport.CallAsync("POST", "/files", (body, form.Headers.ContentType!.ToString()), again: true, cancellationToken), "an uploaded file");
    }

    private async Task<JsonElement> CreateAsync(string model, string file, StreamKey stream, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["model"] = model, ["training_file"] = file, ["seed"] = (long)(stream.Hi >> 33) };
        if (_tuning.Suffix is { Length: > 0 } suffix)
            body["suffix"] = suffix;
        if (_tuning.Epochs is { } epochs)
            body["hyperparameters"] = new JsonObject { ["n_epochs"] = epochs };
        return await transport.CallAsync("POST", "/fine_tuning/jobs", (BinaryData.FromString(body.ToJsonString()), "application/json"), again: false, cancellationToken);
    }

    private async Task<JsonElement> WaitAsync(string id, CancellationToken cancellationToken)
    {
        var path = "/fine_tuning/jobs/" + Uri.EscapeDataString(id);
        var started = time.GetTimestamp();
        try
        {
            while (true)
            {
                var job = await transport.CallAsync("GET", path, null, again: true, cancellationToken);
                switch (job.Text("status"))
                {
                    case "succeeded":
                        return job;
                    case "failed" or "cancelled":
                        throw new UpstreamException($"{transport.Errors.Address}: fine-tuning job {id} {job.Text("status")}{(job.Get("error")?.Text("message") is { } why ? ": " + ErrorBody.Line(why) : "")}.");
                    default:
                        break;
                }
                if (time.GetElapsedTime(started) >= _tuning.Deadline)
                {
                    await QuietlyAsync("POST", path + "/cancel");
                    throw new UpstreamException($"{transport.Errors.Address}: fine-tuning job {id} was not done after {_tuning.Deadline.ToString("c", CultureInfo.InvariantCulture)} and was cancelled.");
                }
                await Task.Delay(_tuning.PollInterval, time, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            await QuietlyAsync("POST", path + "/cancel");
            throw;
        }
    }

    /// <summary>The first and the last training loss that the job reported.</summary>
    private async Task<(double Before, double After)> LossesAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            var events = await transport.CallAsync("GET", $"/fine_tuning/jobs/{Uri.EscapeDataString(id)}/events?limit=100", null, again: true, cancellationToken);
            var losses = events.Items("data").Select(e => e.Get("data")).OfType<JsonElement>()
                .Select(d => (Step: d.Count("step"), Loss: d.Number("train_loss"))).Where(p => p is { Step: not null, Loss: not null }).OrderBy(p => p.Step).ToList();
            return losses.Count == 0 ? (double.NaN, double.NaN) : (losses[0].Loss!.Value, losses[^1].Loss!.Value);
        }
        catch (UpstreamException)
        {
            // the model is there; a server without events is no reason to lose it
            return (double.NaN, double.NaN);
        }
    }

    /// <summary>Tidies up also after the caller went away; what fails here changes nothing of the outcome.</summary>
    private async Task QuietlyAsync(string method, string path)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(15), time);
        try
        {
            await transport.CallAsync(method, path, null, again: true, soon.Token);
        }
        catch (Exception e) when (e is UpstreamException or OperationCanceledException)
        {
            // nothing depends on it
        }
    }

    private long Estimate(string lines) => (long)lines.Length / 4 * (_tuning.Epochs ?? 1);

    private string Id(JsonElement element, string what) => element.Text("id") ?? throw transport.Errors.NoAnswer($"{what} without an id");

    private void Check(AdapterRef? adapter)
    {
        if (adapter is not null && adapter.ModelFingerprint != options.Fingerprint)
            throw new ArgumentException($"The adapter “{adapter.Id}” belongs to {adapter.ModelFingerprint}, not to {options.Fingerprint}.", nameof(adapter));
    }
}
