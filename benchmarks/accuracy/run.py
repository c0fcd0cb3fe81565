"""How exact the measurement is: every part that needs no trained network, and the drawing of docs/accuracy.md.

    python benchmarks/accuracy/run.py [--parts ideal invariance speed] [--hips N] [--workers 2]

Each part leaves a result in runs/accuracy; every result there is drawn into the document, those of other commands too.
``--parts`` without a name draws alone.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import ideal
import invariance
import speed
from tables import Part, render, write_result

ROOT = Path(__file__).resolve().parents[2]


def parts(args: argparse.Namespace) -> dict[str, Callable[[], Part]]:
    """What there is to run; without ``--hips`` each part has a number of its own."""
    few = {} if args.hips is None else {"hips": args.hips}
    return {
        "ideal": lambda: ideal.run(**few, workers=args.workers),
        "invariance": lambda: invariance.run(**few, workers=args.workers),
        "speed": lambda: speed.run(**few),
    }


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--parts", nargs="*", default=["ideal", "invariance", "speed"], choices=["ideal", "invariance", "speed"]
    )
    parser.add_argument("--hips", type=int, help="persons, of each one hip")
    parser.add_argument("--workers", type=int, default=2, help="processes; speed has one")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "accuracy", help="where results lie")
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "accuracy.md")
    args = parser.parse_args(argv)
    if args.hips is not None and args.hips < 2:
        parser.error(f"--hips is at least 2, not {args.hips}")
    scale = [] if args.hips is None else ["--hips", str(args.hips)]
    for name in args.parts:
        start = time.perf_counter()
        command = shlex.join(["python", "benchmarks/accuracy/run.py", "--parts", name, *scale])
        path = write_result(args.out, parts(args)[name](), command)
        print(f"{name}: {time.perf_counter() - start:.0f} s, {path}", flush=True)
    print(f"{args.document}: {', '.join(render(args.document, args.out)) or 'no results'}")


if __name__ == "__main__":
    main(sys.argv[1:])
