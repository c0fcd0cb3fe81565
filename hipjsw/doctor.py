"""Door: what is here to work with, and what is amiss, ``python -m hipjsw.doctor``."""

from __future__ import annotations

from typing import cast

from omegaconf import DictConfig
from rich import box
from rich.table import Table
from rich.text import Text

from hipjsw.app.diagnosis import diagnose
from hipjsw.app.doctor_schema import DoctorConfig
from hipjsw.app.door import open_door
from hipjsw.reporting.tables import print_table


def main(cfg: DictConfig) -> None:
    """Print what was found; exit code 1 where something is amiss.

    Raises:
        SystemExit: Something is amiss (1).
    """
    found = list(diagnose(cast(DoctorConfig, cfg)))
    table = Table(title=Text("hipjsw, and what it finds here"), box=box.SIMPLE)
    for head in ("", "found", "amiss"):
        table.add_column(head, overflow="fold")
    for one in found:
        table.add_row(Text(one.what), Text(one.value), Text(one.amiss or "–"))
    print_table(table)
    wrong = sum(bool(one.amiss) for one in found)
    print(f"{wrong} of {len(found)} are amiss" if wrong else "nothing is amiss")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    open_door(main, "doctor")
