// a click on a head sorts the table by that column, another one the other way round
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    head.tabIndex = 0;
    head.setAttribute("role", "button");
    const sort = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = row => row.cells[at].dataset.sort ?? row.cells[at].textContent;
      [...body.rows]
        .sort((a, b) => compare(key(a), key(b)) * (up ? 1 : -1))
        .forEach(row => body.append(row));
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
  });
}
// numbers by value, words by letter, and what is missing last
function compare(a, b) {
  const x = parseFloat(a), y = parseFloat(b);
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y) ? a.localeCompare(b, "en") : Number.isNaN(x) ? 1 : -1;
  return x - y;
}
// on paper everything is open
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });
