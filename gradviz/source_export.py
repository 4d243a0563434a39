"""The net of a run as Python source of its own, in NumPy or PyTorch: forward, loss, backward and training, readable and runnable.

The source needs nothing of GradViz. Weights, and the examples that the run trains on, lie beside it in an ``.npz`` archive. Only what
the net really has is written: a net without batch norm has no line about it.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.experiment import Experiment
from gradviz.recurrent import RecurrentNetwork
from gradviz.safe_write import write_all_safely
from gradviz.source_feed_forward import FeedForwardSource
from gradviz.source_recurrent import RecurrentSource

KINDS = {"numpy": "NumPy", "torch": "PyTorch"}


def write_source(experiment: Experiment, path: Path | str, kind: str) -> Path:
    """Write the source to ``path`` and its numbers beside it, as ``<name>.npz``; returns the path of the latter.

    Raises:
        OSError: when one of them cannot be written; both are as they were before.
        ValueError: for a kind that is not in `KINDS`.
    """
    path = Path(path)
    archive = path.with_suffix(".npz")
    text = source(experiment, kind)
    write_all_safely({archive: numbers_archive(experiment), path: text.encode()})
    return archive


def numbers_archive(experiment: Experiment) -> bytes:
    """Parameters, running statistics and the training set, batch first, as the bytes of an ``.npz`` archive."""
    inputs, targets = experiment.trainer.training_set
    arrays: dict[str, NDArray[Any]] = {**experiment.network.parameters, **experiment.network.running}
    arrays |= {"data.inputs": np.moveaxis(inputs, -1, 0), "data.targets": np.moveaxis(targets, -1, 0)}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def source(experiment: Experiment, kind: str) -> str:
    """The source of the experiment's net as it stands; it reads its numbers from the .npz file of the same name.

    Raises:
        ValueError: for a kind that is not in `KINDS`.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no source in {kind!r}, only in {', '.join(KINDS)}")
    network = experiment.network
    writer = RecurrentSource(experiment, network) if isinstance(network, RecurrentNetwork) else FeedForwardSource(experiment, network)
    return writer.numpy() if kind == "numpy" else writer.torch()
