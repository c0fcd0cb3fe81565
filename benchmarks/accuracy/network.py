"""How exact a trained network measures, where it errs, and what it refuses; drawn into docs/accuracy.md.

    python benchmarks/accuracy/network.py --run DIR [--results DIR] [--label-errors DIR [--label-errors-results DIR]]

``--run`` is a run of `python -m hipjsw.train data=phantom_views dataset_size=full_equal`, ``--label-errors`` one that
was trained on labels that err as BoneFinder's do (data.points_error=bonefinder). ``make accuracy`` trains both where
they are missing.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import agreement_parts
import judged_parts
from tables import Part, render, write_result
from trained import Trained

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("network", "sources", "label_errors", "table5", "failures", "longitudinal")


def parts(args: argparse.Namespace) -> dict[str, Callable[[], Part]]:
    """What there is to run, each part with the run it needs."""
    run = Trained(args.run, args.results or args.run)
    found: dict[str, Callable[[], Part]] = {
        "network": lambda: agreement_parts.network(run),
        "sources": lambda: agreement_parts.sources(run),
        "table5": lambda: agreement_parts.table5(run),
        "failures": lambda: judged_parts.failures(run, args.count, args.good, args.workers),
        "longitudinal": lambda: judged_parts.longitudinal(run, args.persons),
    }
    if args.label_errors is not None:
        other = Trained(args.label_errors, args.label_errors_results or args.label_errors)
        found["label_errors"] = lambda: agreement_parts.label_errors(other, args.images)
    return found


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="a finished run on phantom views")
    parser.add_argument("--results", type=Path, help="folder of its test_hips.csv, metrics.json; the run if left out")
    parser.add_argument("--label-errors", type=Path, help="a run trained on labels that err")
    parser.add_argument("--label-errors-results", type=Path)
    parser.add_argument("--parts", nargs="*", default=list(NAMES), choices=NAMES)
    parser.add_argument("--count", type=int, default=60, help="views of each kind of failure")
    parser.add_argument("--good", type=int, default=1000, help="plain hips beside them")
    parser.add_argument("--persons", type=int, default=3000, help="persons among whom are those followed")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "accuracy", help="where results lie")
    parser.add_argument("--images", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "accuracy.md")
    args = parser.parse_args(argv)
    found = parts(args)
    for name in args.parts:
        if name not in found:
            print(f"{name}: left out, it needs --label-errors")
            continue
        start = time.perf_counter()
        command = shlex.join(["python", "benchmarks/accuracy/network.py", "--parts", name, "--run", "RUN"])
        path = write_result(args.out, found[name](), command)
        print(f"{name}: {time.perf_counter() - start:.0f} s, {path}", flush=True)
    print(f"{args.document}: {', '.join(render(args.document, args.out)) or 'no results'}")


if __name__ == "__main__":
    main(sys.argv[1:])
