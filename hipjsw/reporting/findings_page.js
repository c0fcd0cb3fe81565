"use strict";
(() => {
  const table = document.getElementById("list");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filters = document.getElementById("filters");
  const words = document.getElementById("words");
  const rule = document.getElementById("rule");
  const boxes = Array.from(filters.querySelectorAll("input[type=checkbox]"));
  const shown = document.getElementById("shown");

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let count = 0;
    rows.forEach((row, n) => {
      const fits = severities.has(row.dataset.severity) && (!rule.value || row.dataset.rule === rule.value)
        && wanted.every((word) => texts[n].includes(word));
      row.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = `${count} of ${rows.length} rows shown`;
  };

  const order = { error: 0, warning: 1, info: 2 };
  const sort = (head, column) => {
    const turned = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", turned ? "descending" : "ascending");
    const key = (row) => column === 0 ? order[row.dataset.severity] : row.cells[column].textContent;
    const compare = (a, b) => column === 0 ? a - b : a.localeCompare(b, undefined, { numeric: true });
    const sorted = rows.map((row) => [key(row), row]).sort((a, b) => (turned ? -1 : 1) * compare(a[0], b[0]));
    body.append(...sorted.map((pair) => pair[1]));
  };

  Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(head, column));
  });
  for (const link of document.querySelectorAll("a[data-rule]")) {
    link.addEventListener("click", () => {
      words.value = "";
      boxes.forEach((box) => { box.checked = true; });
      rule.value = link.dataset.rule;
      filter();
    });
  }
  filters.addEventListener("input", filter);
  filters.hidden = false;
  filter();
})();
