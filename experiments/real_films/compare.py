"""Phantom films against the ten real ones: a table of figures and two sheets to look at.

python experiments/real_films/compare.py --real ../shared/data/radiographs --out runs/real_films
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from figures import film_figures
from films import Picture, enhanced, phantom_pictures, real_pictures
from marks import films_folder
from sheets import films_sheet, hips_sheet

FORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"as drawn": lambda pixels: pixels, "enhanced": enhanced}


def compare(real: Sequence[Picture], phantom: Sequence[Picture]) -> pd.DataFrame:
    """One row a figure: the spread of the real films, the phantoms' 5, 50 and 95 %, and whether they lie within."""
    tables = []
    for form, change in FORMS.items():
        kinds = [pd.DataFrame([film_figures(film, change(film.pixels)) for film in films]) for films in (real, phantom)]
        columns: dict[str, pd.Series] = {}
        for kind, table in zip(("real", "phantom"), kinds, strict=True):
            columns |= {f"{kind}_{p}": table.quantile(p / 100) for p in (5, 50, 95)}
        tables.append(pd.DataFrame(columns).rename_axis("figure").reset_index())
        tables[-1].insert(0, "form", form)
    table = pd.concat(tables, ignore_index=True)
    spread = (table["real_95"] - table["real_5"]).clip(lower=1e-6)
    outside = (table["phantom_50"] - table["real_95"]).clip(lower=0) - (table["real_5"] - table["phantom_50"]).clip(
        lower=0
    )
    table["beyond"] = outside / spread
    table["within"] = outside.abs() < 1e-6
    return table


def as_markdown(table: pd.DataFrame) -> str:
    """The table to read, a section for each form, the phantom's worst figures first."""
    lines = ["# Phantom against real films", ""]
    lines += ["`beyond`: how far the phantom's median lies outside the real 5-95 % range, in widths of that range."]
    for form, part in table.groupby("form", sort=False):
        inside = int(part["within"].sum())
        lines += ["", f"## {form}: {inside} of {len(part)} medians within the real range", ""]
        lines += ["| figure | real 5 | real 50 | real 95 | phantom 5 | phantom 50 | phantom 95 | beyond | within |"]
        lines += ["|---|---:|---:|---:|---:|---:|---:|---:|---|"]
        for _, row in part.reindex(part["beyond"].abs().sort_values(ascending=False, kind="stable").index).iterrows():
            numbers = [row[f"{kind}_{p}"] for kind in ("real", "phantom") for p in (5, 50, 95)]
            cells = [row["figure"], *(f"{n:.3f}" for n in numbers), f"{row['beyond']:+.2f}"]
            lines += [f"| {' | '.join(cells)} | {'yes' if row['within'] else 'NO'} |"]
    return "\n".join([*lines, "", "Real films: FracAtlas, Abedeen et al. 2023, Sci Data 10:521, CC BY 4.0.", ""])


def main() -> None:
    """Read the films, draw the phantoms, write table and sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, default=films_folder(), help="folder of the real films")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=int, default=40, help="number of phantom films")
    parser.add_argument("--seed", type=int, default=1, help="seed of the phantom population")
    args = parser.parse_args()
    real, phantom = list(real_pictures(args.real)), list(phantom_pictures(args.count, args.seed))
    args.out.mkdir(parents=True, exist_ok=True)
    table = compare(real, phantom)
    table.to_csv(args.out / "figures.csv", index=False, float_format="%.5g")
    (args.out / "figures.md").write_text(as_markdown(table), encoding="utf-8")
    films_sheet(real, phantom, args.out / "phantom_vs_real.png")
    hips_sheet(real, phantom, args.out / "hips_phantom_vs_real.png")
    for form, part in table.groupby("form", sort=False):
        print(f"{form}: {int(part['within'].sum())} of {len(part)} phantom medians within the real 5-95 % range")
    print(f"table and sheets: {args.out}")


if __name__ == "__main__":
    main()
