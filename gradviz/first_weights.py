"""The file of weights that a run begins with, as its settings name it: by its CRC-32 and its path, so that no other file passes for it.

Every way to begin such a run anew, from a session or by a reset, comes to the same bit for bit, or says that the file has gone or changed.
"""

from __future__ import annotations

import functools
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gradviz.csv_rows import DataError
from gradviz.spec import Spec

if TYPE_CHECKING:
    from gradviz.training import AnyNetwork
    from gradviz.weights_file import Weights

class WeightsMisfit(DataError):
    """The file is the right one, but its weights are those of another net."""


MARK = re.compile(r"([0-9a-f]{8}) (.+)", re.DOTALL)
HOW = "“Load weights…” takes it as it is now; without any, “First weights” (network.weights_from) is empty."


def mark_of_weights(path: Path) -> str:
    """What `NetworkSpec.weights_from` says of a file; raises `WeightsError` when it cannot be read."""
    from gradviz.weights_file import read_content  # only now: hardly any run needs it

    path = path.expanduser().absolute()
    return marked(zlib.crc32(read_content(path)), str(path))


def marked(crc32: int, path: str) -> str:
    """See `mark_of_weights`."""
    return f"{crc32:08x} {path}"


def with_mark(spec: Spec) -> Spec:
    """The spec with the file that a path names marked as it is now; raises `WeightsError` when it cannot be read."""
    from gradviz.weights_file import WeightsError

    named = spec.network.weights_from
    if not named or MARK.fullmatch(named):
        return spec
    try:
        mark = mark_of_weights(Path(named))
    except WeightsError as error:
        raise WeightsError(f"No weights were loaded. {error}") from None
    return msgspec.structs.replace(spec, network=msgspec.structs.replace(spec.network, weights_from=mark))


def place_of(mark: str) -> tuple[int, str]:
    """CRC-32 and path; raises DataError for what is no mark."""
    found = MARK.fullmatch(mark)
    if found is None:
        raise DataError(f"“First weights” is {mark[:80]!r}; it has to be the CRC-32 (8 digits), a blank and the path of a file. {HOW}")
    return int(found[1], 16), found[2]


def begin_with(network: AnyNetwork, mark: str) -> None:
    """Give a network its first weights.

    Raises:
        WeightsError: when the file has gone or changed.
        WeightsMisfit: when it belongs to another net.
    """
    from gradviz.weights_file import WeightsError, load_weights

    name = Path(place_of(mark)[1]).name
    refused: type[DataError] = WeightsError
    try:
        weights = _read(mark)
        refused = WeightsMisfit
        load_weights(network, weights)
    except WeightsError as error:
        raise refused(f"The weights of {name} cannot be the first ones of this net. {error}. {HOW}") from None


@functools.lru_cache(maxsize=1)  # to begin anew does not read the file again; large nets have large ones
def _read(mark: str) -> Weights:
    from gradviz.weights_file import WeightsError, decode_weights, read_content

    crc32, place = place_of(mark)
    path = Path(place)
    content = read_content(path)
    if zlib.crc32(content) != crc32:
        raise WeightsError(f"{path} holds other weights than when the run began with them")
    return decode_weights(content, path.name)
