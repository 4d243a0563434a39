"""What the program survives, counted: damaged files, a full disk, an engine that is killed, and random actions on the real window.

One JSON object per line; the exit status is 1 when anything failed. ``python tests/benchmarks/soak.py`` runs all of it, which takes about
half an hour; ``--only files|disk|kills|monkey``, ``--files``, ``--kills``, ``--actions`` and ``--seed`` make it shorter, or other.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SECTIONS = ("files", "disk", "kills", "monkey")


def figures(section: str, wanted: argparse.Namespace) -> Iterable[dict[str, Any]]:
    """The figures of one section; only what it needs is imported."""
    if section == "files":
        from tests.benchmarks import soak_files

        return soak_files.run(wanted.files, wanted.seed)
    if section == "disk":
        from tests.benchmarks import soak_disk

        return soak_disk.run()
    if section == "kills":
        from tests.benchmarks import soak_kills

        return soak_kills.run(wanted.kills, wanted.seed)
    from tests.benchmarks import soak_random

    return soak_random.run(wanted.actions, wanted.seed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SECTIONS)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    failures = 0
    for section in [wanted.only] if wanted.only else SECTIONS:
        start = time.monotonic()
        for figure in figures(section, wanted):
            failures += figure["failures"]
            print(json.dumps(figure, ensure_ascii=False), flush=True)
        print(json.dumps({"name": f"{section}: minutes", "value": round((time.monotonic() - start) / 60, 1)}), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
