"""report.html of measured films: rows worst first, a picture of each hip, and a reader's verdicts by keyboard.

The page lies beside its pictures and needs nothing else; names come from files of any origin, so everything is escaped
and the page's policy lets no script but its own run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import nsmallest
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hipjsw.reporting.markup import counted_words, policy_hash, table_head, text, tile

__all__ = ["MOST_ROWS", "write_measure_page"]

#: Hips on the page, the worst; measurements.csv has all.
MOST_ROWS = 4000
_STYLES = ("findings_page", "measure_page")
_NONE = "–"
#: Worst first, and each status's word and colour.
_STATUSES = {
    "failed": ("film failed", "error"),
    "not_found": ("not found", "error"),
    "unmeasurable": ("not measured", "warning"),
    "measured": ("measured", "good"),
    "absent": ("not on film", "none"),
}
_BUTTONS = (
    ("previous", "previous", "←"),
    ("next", "next", "→"),
    ("accept", "accept", "A"),
    ("reject", "reject", "R"),
    ("undo", "undo", "U"),
    ("overlay", "drawing on/off", "O"),
    ("larger", "larger", "+"),
    ("smaller", "smaller", "-"),
    ("save", "save verdicts.csv", "S"),
)

Row = Mapping[str, Any]
#: From a film and a side to the pictures of the hip, drawn on and bare, by their paths from the page on; None for none.
Pictures = Callable[[str, str], tuple[str, str] | None]


def write_measure_page(path: Path, rows: Iterable[Row], pictures: Pictures, name: str) -> None:
    """Write the page; the same for the same input.

    Args:
        path: HTML file to write.
        rows: Of `hipjsw.inference.measurement`; gone through once, and but for those on the page not held.
        pictures: Where the pictures of a hip lie.
        name: Tells this page's verdicts from those of others on the same machine; the same for one batch done again.
    """
    counts: Counter[str] = Counter()
    films: set[str] = set()
    worst = nsmallest(MOST_ROWS, _counted(rows, counts, films), key=_badness)
    parts = [*_top(counts, len(films)), *_desk(worst, pictures)]
    own = files("hipjsw.reporting")
    style = "".join(own.joinpath(f"{one}.css").read_text("utf-8") for one in _STYLES)
    script = own.joinpath("measure_page.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src '{policy_hash(style)}'; "
        f"script-src '{policy_hash(script)}'"
    )
    page = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Measured hips</title>',
        f'<style>{style}</style>\n</head>\n<body data-name="{text(name)}">\n<main>',
        *parts,
        f"</main>\n<script>{script}</script>\n</body>\n</html>\n",
    ]
    path.write_text("\n".join(page), encoding="utf-8", newline="\n")


def _badness(row: Row) -> tuple[int, float, str, str]:
    """Films that failed first, then hips that were not found, not measured, measured with little quality."""
    quality = row["quality"]
    order = list(_STATUSES).index(row["status"])
    return order, 1.0 if quality is None else float(quality), str(row["film"]), str(row["side"])


def _counted(rows: Iterable[Row], counts: Counter[str], films: set[str]) -> Iterable[Row]:
    """The rows, and meanwhile how many have each status and which films they are of."""
    for row in rows:
        counts[row["status"]] += 1
        films.add(row["film"])
        yield row


def _top(counts: Counter[str], films: int) -> Iterable[str]:
    left_out = counts.total() - MOST_ROWS
    yield "<h1>Measured hips</h1>"
    yield '<dl class="tiles">'
    yield tile("films", films, "looked at")
    for status, (words, kind) in _STATUSES.items():
        if counts[status] or status == "measured":
            yield tile(words, counts[status], "films" if status == "failed" else "hips", kind if counts[status] else "")
    yield "</dl>"
    if left_out > 0:
        yield f"<p>{counted_words(left_out, 'hip')} of better quality are left out here; measurements.csv has all.</p>"
    yield (
        '<p class="soft">Worst first. A verdict stays in this browser; <kbd>S</kbd> saves all as a CSV that '
        "<code>hipjsw.evaluate reader=verdicts.csv</code> reads.</p>"
    )


def _desk(rows: Sequence[Row], pictures: Pictures) -> Iterable[str]:
    yield '<div id="tools" hidden>'
    for act, words, key in _BUTTONS:
        yield f'<button type="button" data-act="{act}">{words} <kbd>{key}</kbd></button>'
    yield '<label>reader <input id="reader" value="reader" maxlength="32"></label>'
    yield '<label><input type="checkbox" id="only"> only those not read</label>'
    yield '<span id="said" role="status"></span></div>'
    yield '<div class="desk"><div class="hips">'
    yield table_head(("film", "side", "status", "mJSW", "95 % interval", "quality", "verdict"), "hips")
    yield from (_row(n, row, pictures) for n, row in enumerate(rows))
    yield "</tbody></table></div>"
    yield (
        '<figure id="view"><div class="frame"><img alt="" hidden><p class="empty">no picture</p></div>'
        "<figcaption></figcaption></figure></div>"
    )


def _row(number: int, row: Row, pictures: Pictures) -> str:
    words, kind = _STATUSES[row["status"]]
    found = pictures(str(row["film"]), str(row["side"])) if row["side"] else None
    drawn, bare = (quote(one) for one in found) if found else ("", "")
    width, interval = _width(row), _interval(row)
    reason = f": {row['reason']}" if row["reason"] else ""
    said = " ".join(part for part in (row["film"], row["side"], f"{words}{reason}", width, interval) if part)
    attributes = {
        "id": f"hip-{number}",
        "data-name": row["film"],
        "data-side": row["side"],
        "data-status": row["status"],
        "data-width": "" if row["mjsw_mm"] is None else f"{row['mjsw_mm']:.4f}",
        "data-overlay": drawn,
        "data-film": bare,
        "data-words": said,
    }
    opened = " ".join(f'{key}="{text(str(value), 600)}"' for key, value in attributes.items())
    status = f'<span class="chip {kind}" title="{text(str(row["reason"] or ""), 300)}">{words}</span>'
    quality = _NONE if row["quality"] is None else f"{row['quality']:.2f}"
    cells = (
        f'<td data-label="film" class="free">{text(str(row["film"]), 150)}</td>',
        f'<td data-label="side">{text(str(row["side"]) or _NONE)}</td>',
        f'<td data-label="status">{status}</td>',
        f'<td data-label="mJSW">{text(width) or _NONE}</td>',
        f'<td data-label="95 % interval">{text(interval) or _NONE}</td>',
        f'<td data-label="quality">{quality}</td>',
        '<td data-label="verdict" class="verdict"></td>',
    )
    return f"<tr {opened}>{''.join(cells)}</tr>"


def _width(row: Row) -> str:
    if row["mjsw_mm"] is not None:
        return f"{row['mjsw_mm']:.2f} mm"
    return "" if row["mjsw_px"] is None else f"{row['mjsw_px']:.1f} px, {100 * row['mjsw_per_head']:.1f} % of the head"


def _interval(row: Row) -> str:
    if row["mjsw_ci_low_mm"] is None:
        return ""
    return f"{row['mjsw_ci_low_mm']:.2f} to {row['mjsw_ci_high_mm']:.2f} mm"
