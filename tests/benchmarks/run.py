"""Prints one JSON object per measurement: name, value, unit, peer, peer_value, ratio (value / peer_value).

Every value is measured in turn with its peer in the same call, because absolute times vary from run to run and from
machine to machine. Nothing is asserted. PyTorch is needed for training and recurrent alone.

    python tests/benchmarks/run.py [--only training|recurrent|evolution|window|canvas|launch|time_travel|recording|compare]
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

BENCHMARKS = ("training", "recurrent", "evolution", "window", "canvas", "launch", "time_travel", "recording", "compare")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure GradViz against its peers.")
    parser.add_argument("--only", choices=BENCHMARKS, help="one benchmark instead of all")
    chosen = parser.parse_args().only
    for name in (chosen,) if chosen else BENCHMARKS:
        for result in importlib.import_module(f"tests.benchmarks.{name}").run():
            print(result.line(), flush=True)


if __name__ == "__main__":
    main()
