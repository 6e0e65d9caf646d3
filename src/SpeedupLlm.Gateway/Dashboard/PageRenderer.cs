using System.Globalization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.Logging;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Renders components to HTML. Every text in them is encoded by the renderer. Thread-safe.</summary>
internal sealed class PageRenderer(IServiceProvider services, ILoggerFactory loggers)
{
    /// <summary>Renders a component that takes what it shows from a cascading view.</summary>
    public async Task<string> RenderAsync<TView>(Type component, TView view)
    {
        await using var renderer = new HtmlRenderer(services, loggers);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            // figures are written in one culture, whatever the machine's is
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            var root = await renderer.RenderComponentAsync<CascadingValue<TView>>(ParameterView.FromDictionary(new Dictionary<string, object?>
            {
                [nameof(CascadingValue<>.Value)] = view,
                [nameof(CascadingValue<>.IsFixed)] = true,
                [nameof(CascadingValue<>.ChildContent)] = (RenderFragment)(builder =>
                {
                    builder.OpenComponent(0, component);
                    builder.CloseComponent();
                }),
            }));
            return root.ToHtmlString();
        });
    }
}
