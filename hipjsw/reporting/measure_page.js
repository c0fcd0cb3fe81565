"use strict";
(() => {
  const list = document.getElementById("hips");
  if (!list) return;
  const rows = Array.from(list.tBodies[0].rows);
  const view = document.getElementById("view");
  const picture = view.querySelector("img");
  const empty = view.querySelector(".empty");
  const caption = view.querySelector("figcaption");
  const said = document.getElementById("said");
  const reader = document.getElementById("reader");
  const only = document.getElementById("only");
  const store = "hipjsw-verdicts-" + document.body.dataset.name;
  const VERDICTS = { accept: "accepted", reject: "rejected" };
  let here = 0, overlay = true, zoom = 1, verdicts = {};
  try { verdicts = JSON.parse(localStorage.getItem(store)) || {}; } catch { verdicts = {}; }

  const keep = () => {
    try { localStorage.setItem(store, JSON.stringify(verdicts)); } catch { /* told below: they are lost with the page */ }
  };
  // a row's place changes with the batch, and what was read is the width that was there
  const key = (row) => JSON.stringify([row.dataset.name, row.dataset.side, row.dataset.width]);
  const shown = () => rows.filter((row) => !row.hidden);
  const tell = () => {
    const given = rows.filter((row) => verdicts[key(row)]).length;
    said.textContent = `${given} of ${rows.length} read`;
  };
  const mark = (row) => {
    const verdict = verdicts[key(row)];
    row.dataset.verdict = verdict || "";
    row.querySelector(".verdict").textContent = verdict ? VERDICTS[verdict] : "";
  };
  const size = () => { picture.style.width = `${100 * zoom}%`; };
  const show = (place, move) => {
    const all = shown();
    if (!all.length) return;
    here = Math.min(Math.max(place, 0), all.length - 1);
    const row = all[here];
    for (const other of rows) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    const source = overlay ? row.dataset.overlay : row.dataset.film;
    picture.hidden = !source;
    empty.hidden = Boolean(source);
    if (source) picture.src = source;
    picture.alt = row.dataset.words;
    caption.textContent = `${here + 1} of ${all.length}: ${row.dataset.words}`;
    if (move !== false) row.scrollIntoView({ block: "nearest" });
  };
  const judge = (verdict) => {
    const row = shown()[here];
    if (!row) return;
    if (verdict) verdicts[key(row)] = verdict; else delete verdicts[key(row)];
    keep(); mark(row); tell();
    if (!verdict) return;
    if (only.checked) { filter(); show(here); } else { show(here + 1); }
  };
  const filter = () => {
    for (const row of rows) row.hidden = only.checked && Boolean(verdicts[key(row)]);
  };
  const cell = (text) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const save = () => {
    const lines = [["film", "side", "mjsw_mm", "verdict", "reader"].join(",")];
    for (const row of rows) {
      const verdict = verdicts[key(row)];
      const shared = row.dataset.status === "measured" && !row.dataset.width; // of the head, not in mm
      if (!verdict || !row.dataset.side || (shared && verdict === "accept")) continue;
      const width = verdict === "accept" ? row.dataset.width : "";
      const word = width ? "measured" : "unmeasurable";
      lines.push([row.dataset.name, row.dataset.side, width, word, reader.value.trim()].map(cell).join(","));
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
    link.download = "verdicts.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const acts = {
    next: () => show(here + 1), previous: () => show(here - 1),
    accept: () => judge("accept"), reject: () => judge("reject"), undo: () => judge(""),
    overlay: () => { overlay = !overlay; show(here, false); },
    larger: () => { zoom = Math.min(zoom * 1.5, 8); size(); },
    smaller: () => { zoom = Math.max(zoom / 1.5, 1); size(); },
    save,
  };
  const keys = {
    ArrowRight: "next", ArrowDown: "next", j: "next", ArrowLeft: "previous", ArrowUp: "previous", k: "previous",
    a: "accept", r: "reject", u: "undo", o: "overlay", "+": "larger", "=": "larger", "-": "smaller", s: "save",
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input:not([type=checkbox])") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    acts[act]();
  });
  for (const button of document.querySelectorAll("button[data-act]")) {
    button.addEventListener("click", () => acts[button.dataset.act]());
  }
  rows.forEach((row) => {
    mark(row);
    row.addEventListener("click", () => show(shown().indexOf(row), false));
  });
  only.addEventListener("change", () => { filter(); show(0); });
  document.getElementById("tools").hidden = false;
  tell(); size(); show(0, false);
})();
