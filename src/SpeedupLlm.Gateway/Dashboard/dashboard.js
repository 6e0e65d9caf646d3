// Keeps the page up to date: parts that changed come as server-sent events, rendered and encoded by the server.
const connection = document.getElementById("connection");
const address = document.body.dataset.live;
let source = null;

function say(text, state) {
  if (!connection || connection.textContent === text) return;
  connection.textContent = text;
  connection.dataset.state = state;
}

function connect() {
  source = new EventSource(address);
  source.addEventListener("open", () => say("Live", "live"));
  source.addEventListener("part", event => {
    const { part, html } = JSON.parse(event.data);
    replace(document.getElementById(part), html);
  });
  source.addEventListener("error", () => {
    // closed for good: nobody is signed in any more, or too many look on
    if (source.readyState === EventSource.CLOSED) say("Not live: reload", "lost");
    else setTimeout(() => { if (source && source.readyState !== EventSource.OPEN) say("Connecting", "lost"); }, 3000);
  });
}

// what somebody opened, scrolled to or stands on stays so
function replace(part, html) {
  if (!part || part.innerHTML === html) return;
  const opened = [...part.querySelectorAll("details[id][open]")].map(one => one.id);
  const scrolled = [...part.querySelectorAll(".scroll")].map(one => one.scrollLeft);
  const known = new Set([...part.querySelectorAll("[data-number]")].map(one => one.dataset.number));
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.innerHTML = html;
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  part.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = scrolled[at] ?? 0; });
  for (const one of part.querySelectorAll("[data-number]")) one.classList.toggle("new", !known.has(one.dataset.number));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

if (address) {
  connect();
  // a page that nobody sees asks for nothing
  document.addEventListener("visibilitychange", () => {
    source?.close();
    source = null;
    if (!document.hidden) connect();
  });
}
