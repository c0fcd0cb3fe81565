"""Door: write a phantom cohort, ``python -m hipjsw.phantom out=DIR``."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from hipjsw.app.door import open_door
from hipjsw.app.lock import only_one
from hipjsw.app.provision import num_workers, progress_bar
from hipjsw.phantom.cohort import write_cohort


def main(cfg: DictConfig) -> None:
    """Write the cohort and say what it holds."""
    out = Path(cfg.out)
    with only_one(out, wait=True), progress_bar("drawing phantom films") as moved:
        summary = write_cohort(out, int(cfg.subjects), int(cfg.seed), num_workers(cfg.workers), moved)
    print(f"{summary.num_films} films of {summary.num_subjects} persons ({summary.num_hips} hips) in {summary.folder}")
    print(f"next: python -m hipjsw.prepare cohort={summary.folder} store=DIR")


if __name__ == "__main__":
    open_door(main, "phantom")
