// ASP.NET Core's WebSocket middleware with its defaults and the usual echo loop over a 4 KiB buffer.
using System.Net.WebSockets;

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.UseUrls("http://127.0.0.1:0");
// As in the configuration that `dotnet new web` makes; without it every request is logged.
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
builder.Logging.AddFilter("Microsoft.Hosting", LogLevel.Warning);

var app = builder.Build();
app.UseWebSockets();
app.Map("/ws", async (HttpContext context) =>
{
    if (!context.WebSockets.IsWebSocketRequest)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return;
    }
    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    try
    {
        await Echo(socket);
    }
    catch (WebSocketException)
    {
        // The client left without a word.
    }
});
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"listening on {app.Urls.First()}"));
app.Run();

static async Task Echo(WebSocket socket)
{
    var buffer = new byte[4096];
    var received = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
    while (!received.CloseStatus.HasValue)
    {
        var part = new ArraySegment<byte>(buffer, 0, received.Count);
        await socket.SendAsync(part, received.MessageType, received.EndOfMessage, CancellationToken.None);
        received = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
    }
    await socket.CloseAsync(received.CloseStatus.Value, received.CloseStatusDescription, CancellationToken.None);
}
