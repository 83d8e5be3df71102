"use strict";
// Everything can be read without this script; it sorts tables, copies programs and turns the light.

// What a cell sorts by: its number where it has one, else its words. A missing number is last.
function key(row, place) {
  const cell = row.cells[place];
  if ("value" in cell.dataset) return Number(cell.dataset.value);
  const words = cell.textContent.trim();
  return words === "–" ? null : words.toLowerCase();
}

function compare(one, other) {
  if (one === null || other === null) return null;
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other));
}

function sort(table, heading) {
  const place = heading.cellIndex;
  const rising = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, key: key(row, place) }));
  rows.sort((one, other) => {
    const order = compare(one.key, other.key);
    if (order === null) return (one.key === null) - (other.key === null);
    return rising ? order : -order;
  });
  body.append(...rows.map((entry) => entry.row));
}

for (const table of document.querySelectorAll("table.sorts")) {
  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector("button").addEventListener("click", () => sort(table, heading));
  }
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.nextElementSibling.textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
}

const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});
