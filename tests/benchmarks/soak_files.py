"""Damaged and malicious files of every kind that the program reads: each is read or refused with a typed error, soon and in bounded memory.

The readers work in processes of their own, whose resident memory is measured and which may neither open a connection nor start a
program; a file that takes longer than `MOST_SECONDS` of processor time or more than `MOST_MEGABYTES` counts as a failure and is told
with its seed.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.data import DataError, load
from gradviz.lessons import read_lesson
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.recording_format import RecordingError
from gradviz.resources import RESOURCES
from gradviz.session_file import SessionFile, SessionFileError, Settings, encode, from_text, read_session, to_text
from gradviz.spec import SpecError, all_fields
from gradviz.weights_file import WeightsError, encode_weights, load_weights, read_weights, weights_of
from ui.presets import read_preset

PEAK = Path("/proc/self/status")
MOST_SECONDS = 2.0
MOST_MEGABYTES = 300.0
TYPED = (SessionFileError, RecordingError, DataError, WeightsError, SpecError, OSError)
FORBIDDEN = (
    "socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "compile", "exec", "pickle.find_class",
)  # fmt: skip
SPEC = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=60), TrainingSpec(batch_size=8))
PART = 100  # files of one task


@dataclass
class Part:
    """What came of some files."""

    files: int = 0
    read: int = 0
    refused: int = 0
    seconds: float = 0.0  # the longest
    megabytes: float = 0.0  # resident memory that was taken on top of what the reader began with, at the most
    failures: list[str] = field(default_factory=list)

    def add(self, other: Part) -> None:
        self.files, self.read, self.refused = self.files + other.files, self.read + other.read, self.refused + other.refused
        self.seconds, self.megabytes = max(self.seconds, other.seconds), max(self.megabytes, other.megabytes)
        self.failures += other.failures


@dataclass(frozen=True)
class Kind:
    """A kind of file: its ending, whole examples of it, and what reads it."""

    suffix: str
    wholes: tuple[bytes, ...]
    read: Callable[[Path], object]


# ---- what is damaged


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of file that the program reads."""
    experiment = Experiment(SPEC)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.gradviz"
        recorder = Recorder(path, experiment)
        for _ in range(60):
            experiment.advance()
            recorder.append(experiment)
        recorder.close()
        recording = path.read_bytes()
    changed = SPEC.replace("training.learning_rate", 0.5)
    session = SessionFile((Settings(0, SPEC), Settings(20, changed)), 30, 40, 2, "A title", "Some notes")
    specs = (SPEC, Spec(), Spec().replace("network.kind", "lstm"), Spec().replace("training.method", "evolution"))
    table = "a,b,kind\n" + "".join(f"{row / 7:.3f},{-row},{'xyz'[row % 3]}\n" for row in range(60))
    german = "a;b;c\n" + "".join(f"{row},5;{row * row};{row % 4},25\n" for row in range(60))
    weights = encode_weights(weights_of(experiment.network, SPEC, 60))

    def read_table(path: Path) -> None:
        load("csv", samples=60, noise=0.1, test_fraction=0.2, seed=0, path=str(path))

    def load_into(path: Path) -> None:
        load_weights(Experiment(SPEC).network, read_weights(path))

    return {
        "session": Kind(".gradviz.json", (encode(session),), read_session),
        "session text": Kind(".txt", (to_text(session).encode(),), lambda path: from_text(path.read_text("utf-8", "replace"))),
        "recording": Kind(".gradviz", (recording,), lambda path: open_recording(path)),
        "table": Kind(".csv", (table.encode(), german.encode(), table.replace("xyz", "äöü").encode("utf-8-sig")), read_table),
        "weights": Kind(".safetensors", (weights,), load_into),
        "settings": Kind(".json", tuple(spec.to_json().encode() for spec in specs), lambda path: Spec.from_json(path.read_bytes())),
        "preset": Kind(".json", tuple(path.read_bytes() for path in sorted((RESOURCES / "presets").glob("*.json"))[:6]), read_preset),
        "lesson": Kind(".json", tuple(path.read_bytes() for path in sorted((RESOURCES / "lessons").glob("*.json"))[:6]), read_lesson),
    }


LITERALS = (
    b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-1", b"0", b"1e308", b"9" * 400, b"0.1", b'""', b'"\\ud800"', b"{}", b"[]", b"[[]]",
    b'{"__class__":"os.system"}', b'"../../etc/passwd"', b'"' + b"x" * 5000 + b'"', b"[" * 3000, b'{"a":' * 3000,
    b"[1" + b",1" * 20_000 + b"]",
)  # fmt: skip
BYTES = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b",", b";", b"\t", b"\n", b"\r", b'"', b"-", b"1e400", b"nan", b"inf",
    b"," * 3000, b"\n" * 3000, b"\xc3\x28", b"=1+1",
)  # fmt: skip
LENGTHS = (0, 1, 8, 2**16, 2**31 - 1, 2**32, 2**63 - 1, 2**64 - 1)


def mutate(whole: bytes, random: random.Random) -> bytes:
    """The content, damaged in one to five ways: bits, cuts, strange bytes, other values, wild numbers, random rubbish."""
    if random.random() < 0.04:
        return random.randbytes(random.randrange(4000))
    if whole[:1] in b"{[" and random.random() < 0.5:
        return json_with_other_values(whole, random)
    content = bytearray(whole)
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(len(content) + 1)
        match random.randrange(9):
            case 0 if at < len(content):
                content[at] ^= 1 << random.randrange(8)
            case 1:
                del content[at:]
            case 2:
                del content[at : at + random.randint(1, 300)]
            case 3:
                content[at:at] = random.choice(LITERALS)
            case 4:
                content[at : at + random.randint(0, 6)] = random.choice(BYTES)
            case 5:
                content[at : at + 40] = random.randbytes(40)
            case 6:
                content[at:at] = content[: random.randint(1, 5000)]
            case 7:
                content[at : at + 8] = struct.pack("<Q", random.choice(LENGTHS))
            case _ if at < len(content):
                end = min(len(content), at + random.randint(1, 2000))
                content[at:end] = content[at:end][::-1]
    return bytes(content)


def json_with_other_values(whole: bytes, random: random.Random) -> bytes:
    """Well-formed JSON in which some values are of another type or size, and some fields another's."""
    raw = json.loads(whole)
    paths: dict[str, Any] = {info.path: info for info in all_fields()}
    for _ in range(random.choice((1, 1, 2, 4))):
        place = raw
        while isinstance(place, dict | list) and place:
            key = random.choice(list(place)) if isinstance(place, dict) else random.randrange(len(place))
            if not isinstance(place[key], dict | list) or not place[key] or random.random() < 0.25:
                place[key] = odd_value(random)
                if isinstance(place, dict) and random.random() < 0.1:
                    place[random.choice((random.choice(list(paths)), "x" * 200, "__proto__", ""))] = odd_value(random)
                break
            place = place[key]
    return json.dumps(raw).encode()


def odd_value(random: random.Random) -> Any:
    """A value that may not belong where it stands."""
    scalars = [
        None, True, False, 0, 1, -1, 10**12, 2**63, 10**400, 1.5, -0.0, 1e308, float("nan"),
        float("inf"), "", "relu", "lstm", "csv", "x" * 3000, "\ud800",
    ]  # fmt: skip
    value: Any = random.choice(scalars)
    if random.random() < 0.1:
        return [value] * random.choice((0, 3, 30_000))  # either long or deep: both would be a file larger than any that is read
    for _ in range(random.choice((0, 0, 0, 1, 2, 3, 400))):
        value = [value] if random.random() < 0.5 else {"spec": value}
    return value


# ---- reading


def forget_peak() -> None:
    """Begin to measure the largest resident memory anew, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """The largest resident memory of this process since `forget_peak` (without /proc: since it began), in MB."""
    if PEAK.exists():
        return int(PEAK.read_text().partition("VmHWM:")[2].split()[0]) / 1e3
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


_reading: list[Path] = []  # the file that is being read
_asked: list[str] = []  # forbidden things that were tried meanwhile


def watch(event: str, _: tuple[Any, ...]) -> None:
    """No file makes the program open a connection, start another program, or run code that the file brings."""
    if event.startswith(FORBIDDEN) and _reading:
        _asked.append(event)


def warm_up() -> None:
    """Read one whole file of each kind, so that what is imported and cached by then is no file's fault."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds().values():
            for whole in kind.wholes:
                path = Path(folder) / f"whole{kind.suffix}"
                path.write_bytes(whole)
                kind.read(path)
    sys.addaudithook(watch)


def try_files(name: str, first: int, count: int) -> Part:
    """Read so many damaged files of a kind; ``first`` is the seed of the first one."""
    kind, part = kinds()[name], Part(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{kind.suffix}"
        for seed in range(first, first + count):
            dice = random.Random(f"{name} {seed}")
            path.write_bytes(mutate(dice.choice(kind.wholes), dice))
            problem, seconds, megabytes = read_one(kind, path, part)
            part.seconds, part.megabytes = max(part.seconds, seconds), max(part.megabytes, megabytes)
            if seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES:
                problem = f"it took {seconds:.1f} s and {megabytes:.0f} MB"
            if problem:
                part.failures.append(f"{name}, seed {seed}: {problem}")
    return part


def read_one(kind: Kind, path: Path, part: Part) -> tuple[str, float, float]:
    """What is wrong with how a file was taken ("" when nothing is), the seconds of processor time and the MB on top."""
    forget_peak()
    start, before, problem = time.process_time(), peak(), ""
    _reading.append(path)
    try:
        kind.read(path)
        part.read += 1
    except TYPED as error:
        part.refused += 1
        if not str(error).strip():
            problem = f"{type(error).__name__} without a word"
    except Exception as error:
        problem = f"{type(error).__name__}: {str(error)[:200]} at {traceback.extract_tb(error.__traceback__)[-1]}"
    _reading.clear()
    if _asked:
        problem = f"it tried {_asked[0]}"
        _asked.clear()
    return problem, time.process_time() - start, peak() - before


def run(files: int, seed: int, workers: int = 2) -> list[dict[str, Any]]:
    """The figures: for each kind and in all, how many were tried, read and refused, how long and how much memory the worst one took."""
    names = list(kinds())
    each = -(-files // len(names))
    found = {name: Part() for name in names}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=warm_up) as pool:
        tasks = [
            (name, pool.submit(try_files, name, seed * 1_000_000 + first, min(PART, each - first)))
            for first in range(0, each, PART)
            for name in names
        ]
        for name, task in tasks:
            found[name].add(task.result())
    whole = Part()
    for part in found.values():
        whole.add(part)
    return [figures(name, part) for name, part in [*found.items(), ("all kinds", whole)]]


def figures(name: str, part: Part) -> dict[str, Any]:
    """What came of one kind, as it is printed."""
    return {
        "name": f"damaged files: {name}",
        "files": part.files,
        "read": part.read,
        "refused": part.refused,
        "longest_seconds": round(part.seconds, 2),
        "most_megabytes": round(part.megabytes, 1),
        "failures": len(part.failures),
        "first_failures": part.failures[:5],
    }
