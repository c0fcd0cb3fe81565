"""Pieces of HTML that pages are made of; whatever text is put in is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape

from hipjsw.cohort.rules import Severity
from hipjsw.reporting.findings_table import legible

__all__ = [
    "chip",
    "counted_words",
    "image",
    "number",
    "policy_hash",
    "rule_name",
    "table_head",
    "table_row",
    "text",
    "tile",
]

#: Columns of numbers, of single words, of rules, and of text that may have to be broken anywhere.
_KINDS = (
    dict.fromkeys(("findings", "films", "persons", "hips", "used"), "number")
    | dict.fromkeys(("severity", "side"), "word")
    | {"rule": "rule"}
    | dict.fromkeys(("cohort", "example", "film", "what was found"), "free")
)


def text(raw: str, longest: int = 240) -> str:
    """Text of any origin, fit for an element or a quoted attribute: legible, cut to ``longest``, escaped."""
    return escape(legible(raw, longest))


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def counted_words(value: int, what: str) -> str:
    """``1 film``, ``2 films``."""
    return f"{number(value)} {what}{'' if value == 1 else 's'}"


def policy_hash(content: str) -> str:
    """Source expression by which a content security policy admits one inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")


def chip(severity: Severity) -> str:
    """The severity in its colour."""
    return f'<span class="chip {severity.value}">{severity.value}</span>'


def rule_name(name: str) -> str:
    """A rule's name, which may be broken after its underscores."""
    return f"<code>{escape(name).replace('_', '_<wbr>')}</code>"


def image(png: bytes, words: str) -> str:
    """A PNG within the page; ``words``, for who cannot see it, are markup already."""
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}" alt="{words}">'


def tile(what: str, value: int, note: str, kind: str = "") -> str:
    """One figure of a summary; all words are markup already."""
    numeral = f'<dd class="number">{number(value)}</dd>'
    return f'<div class="{kind}"><dt>{what}</dt>{numeral}<dd class="note">{note}</dd></div>'


def table_head(columns: Iterable[str], name: str = "") -> str:
    """Beginning of a table that stacks its cells on a narrow page; ends within the body."""
    heads = "".join(f'<th scope="col"{_kind(column)}>{escape(column)}</th>' for column in columns)
    own = f' id="{name}"' if name else ""
    return f'<table class="stack"{own}><thead><tr>{heads}</tr></thead><tbody>'


def table_row(cells: Mapping[str, str], data: str = "") -> str:
    """A row; cells by column are markup already, ``data`` are attributes of the row."""
    inner = "".join(f'<td data-label="{escape(name)}"{_kind(name)}>{cell}</td>' for name, cell in cells.items())
    return f"<tr{data}>{inner}</tr>"


def _kind(column: str) -> str:
    return f' class="{_KINDS[column]}"' if column in _KINDS else ""
