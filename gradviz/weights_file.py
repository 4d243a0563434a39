"""Weights as a ``.safetensors`` file: the length of a header, the header as JSON, then the bare numbers.

The format is so simple that it is read and written here, without code that a hostile file could reach: whatever a file holds, reading
ends soon, in bounded memory, with arrays or a `WeightsError`. Layout: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from gradviz.arrays import Floats
from gradviz.csv_rows import DataError
from gradviz.nesting import deeper_than
from gradviz.network import Network
from gradviz.recurrent import RecurrentNetwork
from gradviz.safe_write import write_safely
from gradviz.spec import MAX_PARAMETERS, Spec, SpecError

SUFFIX = ".safetensors"
MAX_HEADER = 2_000_000
MAX_BYTES = MAX_HEADER + 8 * MAX_PARAMETERS + 16_000_000
DTYPES = {"F64": "<f8", "F32": "<f4"}
MAX_DEPTH = 3
MOST_NAMED = 3  # arrays that do not fit

Size = Annotated[int, Meta(ge=0, le=MAX_BYTES)]


class WeightsError(DataError):
    """Weights that cannot be used; the message says what is wrong, where, and what is allowed."""


class Weights(msgspec.Struct, frozen=True):
    """What a file holds: arrays by name, read only, and of a file of GradViz the settings and the step they belong to."""

    arrays: dict[str, Floats]
    spec: Spec | None = None
    step: int = 0


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: str
    shape: Annotated[tuple[Size, ...], Meta(max_length=8)]
    data_offsets: tuple[Size, Size]


def weights_of(network: Network | RecurrentNetwork, spec: Spec, step: int) -> Weights:
    """The parameters of a network, and the running statistics of its batch norm."""
    return Weights({**network.parameters, **network.running}, spec, step)


def encode_weights(weights: Weights) -> bytes:
    """The bytes of a ``.safetensors`` file."""
    metadata = {"format": "np", "made_by": "GradViz", "step": str(weights.step)}
    if weights.spec is not None:
        metadata["spec"] = weights.spec.to_json()
    header: dict[str, Any] = {"__metadata__": metadata}
    parts, start = [], 0
    for name, array in weights.arrays.items():
        kind = "F32" if array.dtype == np.float32 else "F64"
        part = np.ascontiguousarray(array, DTYPES[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, start + len(part)]}
        parts.append(part)
        start += len(part)
    text = msgspec.json.encode(header)
    text += b" " * (-len(text) % 8)  # so that the numbers begin at a multiple of their size
    return b"".join([struct.pack("<Q", len(text)), text, *parts])


def write_weights(weights: Weights, path: Path | str) -> None:
    """Write a file, whole or not at all; raises OSError."""
    write_safely(path, encode_weights(weights))


def read_weights(path: Path | str) -> Weights:
    """Read a ``.safetensors`` file of at most `MAX_BYTES`; raises `WeightsError`, also when it cannot be read."""
    path = Path(path)
    return decode_weights(read_content(path), path.name)


def read_content(path: Path) -> bytes:
    """The bytes of an ordinary file, at most `MAX_BYTES` + 1; raises `WeightsError` when it cannot be read."""
    try:
        if not path.is_file():
            raise WeightsError(f"{path.name}: there is no such file, or it is not an ordinary one")
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise WeightsError(f"{path.name}: it cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise error if isinstance(error, WeightsError) else WeightsError(f"it cannot be read ({error})") from None


def decode_weights(content: bytes, name: str) -> Weights:
    """Read the bytes of a ``.safetensors`` file; ``name`` is what messages call it. Raises `WeightsError`."""
    header, begin = _header(content, name)
    metadata = _converted(header.pop("__metadata__", msgspec.Raw(b"{}")), dict[str, str], f"{name}: __metadata__")
    entries = {key: _converted(raw, _Entry, f"{name}: {key[:80]}") for key, raw in header.items()}
    data = memoryview(content)[begin:]
    reached = 0
    arrays: dict[str, Floats] = {}
    for key, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        where = f"{name}: {key[:80]}"
        if entry.dtype not in DTYPES:
            raise WeightsError(f"{where}: its numbers are {entry.dtype[:20]!r}; GradViz reads {', '.join(DTYPES)}")
        start, stop = entry.data_offsets
        size = math.prod(entry.shape) * int(entry.dtype[1:]) // 8
        if stop - start != size or start != reached:
            raise WeightsError(f"{where}: shape and place do not fit: the file was altered, or is none of this kind")
        if stop > len(data):
            raise WeightsError(f"{where}: the file is cut off: it ends {stop - len(data):,} bytes too early")
        arrays[key] = np.frombuffer(data[start:stop], DTYPES[entry.dtype]).reshape(entry.shape)
        reached = stop
    if reached != len(data):
        raise WeightsError(f"{name}: behind the last array there are {len(data) - reached:,} bytes that belong to nothing")
    spec, step = _of_gradviz(metadata, name)
    return Weights({key: arrays[key] for key in entries}, spec, step)


def load_weights(network: Network | RecurrentNetwork, weights: Weights) -> None:
    """Give a network these weights; nothing changes when they do not fit it.

    Raises:
        WeightsError: naming the arrays that are missing, have another shape, hold a number that is not finite, or belong to another net.
    """
    wanted: Mapping[str, Floats] = {**network.parameters, **network.running}
    wrong = list(_misfits(wanted, weights.arrays))
    if wrong:
        more = f"; and {len(wrong) - MOST_NAMED:,} more" if len(wrong) > MOST_NAMED else ""
        raise WeightsError("; ".join(wrong[:MOST_NAMED]) + more)
    for name, own in wanted.items():
        own[...] = weights.arrays[name]


def _misfits(wanted: Mapping[str, Floats], arrays: Mapping[str, Floats]) -> Iterator[str]:
    for name, own in wanted.items():
        given = arrays.get(name)
        if given is None:
            yield f"{name} is missing"
        elif given.shape != own.shape:
            yield f"{name} has the shape {given.shape}; this net needs {own.shape}"
        else:
            with np.errstate(over="ignore"):
                finite = np.isfinite(given.astype(own.dtype, copy=False)).all()
            if not finite:
                yield f"{name} holds numbers that are not finite, or too large for {own.dtype}"
    for name in arrays:
        if name not in wanted:
            yield f"{name[:80]} is no array of this net"


def _header(content: bytes, name: str) -> tuple[dict[str, msgspec.Raw], int]:
    if len(content) > MAX_BYTES:
        raise WeightsError(f"{name}: it is larger than {MAX_BYTES:,} bytes, more than any net has")
    if len(content) < 8:
        raise WeightsError(f"{name}: it has {len(content)} bytes; a .safetensors file begins with 8 for the length of its header")
    (length,) = struct.unpack("<Q", content[:8])
    if length > MAX_HEADER:
        raise WeightsError(f"{name}: its header would have {length:,} bytes, at most {MAX_HEADER:,} are read: it is no .safetensors file")
    text = content[8 : 8 + length]
    if len(text) < length:
        raise WeightsError(f"{name}: it is cut off in its header")
    if deeper_than(MAX_DEPTH, text):
        raise WeightsError(f"{name}: its header is nested more than {MAX_DEPTH} deep")
    found: dict[str, msgspec.Raw] = _converted(text, dict[str, msgspec.Raw], f"{name}: the header")
    return found, 8 + length


def _converted(text: bytes | msgspec.Raw, kind: Any, where: str) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise WeightsError(f"{where}: {str(error)[:300]}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WeightsError(f"{where} is not JSON ({error})") from None


def _of_gradviz(metadata: Mapping[str, str], name: str) -> tuple[Spec | None, int]:
    if metadata.get("made_by") != "GradViz":
        return None, 0
    step = metadata.get("step", "0")
    if not (step.isascii() and step.isdigit() and len(step) < 12):
        raise WeightsError(f"{name}: its step is {step[:40]!r}; it has to be a whole number")
    try:
        return (Spec.from_json(metadata["spec"]) if "spec" in metadata else None), int(step)
    except SpecError as error:
        raise WeightsError(f"{name}: its settings cannot be read: {error}") from None
