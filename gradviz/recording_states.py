"""Checkpoints as bytes: a JSON head that says what is what, and behind it the arrays as they are; only known records are ever made."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from gradviz.checkpoints import BatchState, State
from gradviz.evolution import EvolutionState
from gradviz.pretraining import LevelState
from gradviz.recording_format import RecordingError
from gradviz.snapshot import Failure

RECORDS: dict[str, type[msgspec.Struct]] = {record.__name__: record for record in (State, BatchState, Failure, LevelState, EvolutionState)}
"""What a checkpoint is made of, beside numbers, texts and arrays; a method with records of its own adds them."""

DTYPES = ("<f8", "<f4", "<i8", "|b1", "<u8", "<i4", "|u1")
DEEPEST = 20  # of records in records
_LENGTH = struct.Struct("<I")


def encode_state(state: State) -> bytes:
    """The checkpoint as bytes, without `State.slices`, which the network knows."""
    return encode_record(msgspec.structs.replace(state, slices={}))


def decode_state(body: bytes) -> State:
    """The checkpoint that `encode_state` wrote; raises `RecordingError` for anything else."""
    try:
        found = decode_record(body)
    except ValueError as error:
        raise RecordingError(f"A checkpoint of the recording cannot be read: {error}") from None
    if not isinstance(found, State) or misfits(found):
        raise RecordingError("A checkpoint of the recording does not hold what one holds.")
    return found


def encode_record(record: msgspec.Struct, known: Mapping[str, type[msgspec.Struct]] = RECORDS) -> bytes:
    """A record with all that it holds as bytes; ``known`` are the records it may be made of."""
    arrays: list[np.ndarray[Any, Any]] = []
    head = json.dumps(_plain(record, arrays, known), separators=(",", ":")).encode()
    return b"".join([_LENGTH.pack(len(head)), head, *(array.tobytes() for array in arrays)])


def decode_record(body: bytes, known: Mapping[str, type[msgspec.Struct]] = RECORDS) -> Any:
    """What `encode_record` wrote, of whatever types its fields are; raises ValueError for anything else."""
    try:
        (length,) = _LENGTH.unpack_from(body)
        return _Reader(body, 4 + length, known).made(json.loads(body[4 : 4 + length]))
    except (ValueError, TypeError, KeyError, IndexError, struct.error, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from None


def misfits(state: State) -> bool:
    """Whether a field is of the wrong type; whether arrays fit the network is found out by restoring them."""
    counts = (state.steps, state.settings, state.optimizer_steps, state.method_bytes)
    if any(type(count) is not int or not 0 <= count < 1 << 48 for count in counts):
        return True
    batches = state.batches
    if not isinstance(batches, BatchState) or not isinstance(batches.drawn, bool) or type(batches.next) is not int or batches.next < 0:
        return True
    if not isinstance(batches.generator, Mapping) or not (state.failure is None or isinstance(state.failure, Failure)):
        return True
    failure = state.failure
    if failure is not None and [type(value) for value in msgspec.structs.astuple(failure)] != [int, int, str, str]:
        return True
    if not isinstance(state.memories, tuple) or not isinstance(state.running, tuple):
        return True
    return not all(isinstance(array, np.ndarray) and array.dtype.kind == "f" for array in (state.vector, *state.memories, *state.running))


def _plain(value: Any, arrays: list[np.ndarray[Any, Any]], known: Mapping[str, type[msgspec.Struct]]) -> Any:
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        arrays.append(array)
        return {"array": array.dtype.str, "shape": value.shape}
    if isinstance(value, msgspec.Struct):
        name = type(value).__name__
        if known.get(name) is not type(value):
            raise TypeError(f"a checkpoint cannot hold a {name}")
        fields = {field: _plain(getattr(value, field), arrays, known) for field in value.__struct_fields__}
        return {"record": name, "fields": fields}
    if isinstance(value, (tuple, list)):
        return [_plain(entry, arrays, known) for entry in value]
    if isinstance(value, slice):
        return {"slice": (value.start, value.stop)}
    if isinstance(value, Mapping):
        return {"map": {key: _plain(entry, arrays, known) for key, entry in value.items()}}
    return value.item() if isinstance(value, np.generic) else value


class _Reader:
    """Makes the values of a head again, with their arrays from the bytes behind it, one after the other."""

    def __init__(self, body: bytes, at: int, known: Mapping[str, type[msgspec.Struct]]) -> None:
        self._body, self._at, self._known = body, at, known

    def made(self, plain: Any, depth: int = 0) -> Any:
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        if isinstance(plain, list):
            return tuple(self.made(entry, depth + 1) for entry in plain)
        if not isinstance(plain, dict):
            return plain
        if "array" in plain:
            return self._array(plain["array"], plain["shape"])
        if "record" in plain:
            return self._known[plain["record"]](**{name: self.made(entry, depth + 1) for name, entry in plain["fields"].items()})
        if "slice" in plain:
            start, stop = plain["slice"]
            if type(start) is not int or type(stop) is not int:
                raise ValueError("a slice is not of whole numbers")
            return slice(start, stop)
        return {str(key): self.made(entry, depth + 1) for key, entry in plain["map"].items()}

    def _array(self, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
        if dtype not in DTYPES or len(shape) > 8 or any(type(size) is not int or size < 0 for size in shape):
            raise ValueError(f"an array of type {dtype!r:.20} and shape {shape!r:.60}")
        count = 1
        for size in shape:
            count *= size
        if count * np.dtype(dtype).itemsize > len(self._body) - self._at:
            raise ValueError("an array is longer than the checkpoint")
        found = np.frombuffer(self._body, dtype, count, self._at).reshape(shape)
        self._at += found.nbytes
        return found
