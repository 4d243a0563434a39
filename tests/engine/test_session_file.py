"""Session files and their text form: read back as written, replayed to the same bits, and refused with a reason."""

import json
import os
import stat
import struct
import zlib
from base64 import urlsafe_b64encode
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradviz.experiment import Experiment
from gradviz.leftover import LeftoverError, pack, read_leftover
from gradviz.safe_write import write_safely
from gradviz.session_file import (
    MAX_BYTES,
    LeftRun,
    SessionFile,
    SessionFileError,
    Settings,
    decode,
    encode,
    from_text,
    left_of,
    read_session,
    to_text,
    write_session,
)
from gradviz.snapshot import Held
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from gradviz.view import CompareView, LabView, NetView, Picked, View

SPEC = Spec(NetworkSpec(depth=3, width=4), DataSpec(samples=60), TrainingSpec(seed=7, batch_size=8))
SLOWER = SPEC.replace("training.learning_rate", 0.01)
RELU = SLOWER.replace("network.activation", "relu")
VIEW = View("lab", lab="clipping", selection=Picked("edge", 2, 1, 3), example=4, zoom=2.5, scroll=1.25, speed=60.0, body=(264, 976, 360))
VIEW = msgspec.structs.replace(
    VIEW,
    lab_view=LabView("linear", function="relu", numbers=(1.5, -2.0, 0.5), pair=("a", "b"), rival=True, lag=30, read=96),
    held=Held(2, ("out.weight[0,1]", "out.bias[0]"), (1, 2)),
    all_paths=True,
)
SESSION = SessionFile(
    (Settings(0, SPEC), Settings(5, SLOWER), Settings(5, RELU)),
    9,
    12,
    3,
    "Why L1 sleeps",
    "Look at “L1”.\nThen α = ½ 🙂",
    VIEW,
    LeftRun((Settings(0, SPEC), Settings(5, SLOWER)), 20, 6, True),
)


HISTORY = ("steps", "loss", "loss_low", "loss_high", "gradient_rms", "total_norms", "test_steps", "test_loss")


def replayed(session: SessionFile) -> Experiment:
    experiment = Experiment(session.settings[0].spec)
    for _ in experiment.follow([(item.step, item.spec) for item in session.settings[1:]], session.last_step, session.left_line):
        pass
    experiment.go_to(session.step, session.phases)
    return experiment


def test_a_file_and_a_text_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "run.gradviz.json"
    write_session(SESSION, path)
    assert read_session(path) == SESSION
    assert from_text(to_text(SESSION)) == SESSION
    plain = SessionFile((Settings(0, Spec()),))
    assert decode(encode(plain), "it") == from_text(to_text(plain)) == plain
    assert len(to_text(plain)) < 40
    assert SESSION.spec == RELU
    text = path.read_text()
    assert '"training.learning_rate": 0.01' in text
    assert "Why L1 sleeps" in text
    assert len(text.splitlines()) > 50


BESIDE = SessionFile((Settings(0, SPEC.replace("network.activation", "relu")), Settings(4, RELU)), 9, 9, 2, left=SESSION.left)
BESIDE = msgspec.structs.replace(BESIDE, left=LeftRun(BESIDE.settings, 11, 6))
BOTH = msgspec.structs.replace(SESSION, against=BESIDE, view=View(compare=CompareView("A", True, (NetView(zoom=2.0), NetView()), 40)))


def test_a_second_run_is_read_as_it_was_written() -> None:
    content = encode(BOTH)
    assert decode(content, "it") == from_text(to_text(BOTH)) == BOTH
    raw = json.loads(content)
    assert raw["against"]["set"] == {"network.activation": "relu"}  # one can read what is different
    assert (raw["version"], to_text(BOTH)[:10]) == (2, "gradviz:2:")
    assert len(to_text(BOTH)) < 1.4 * len(to_text(SESSION))
    same = msgspec.structs.replace(SESSION, against=SessionFile(SESSION.settings, 9, 12))
    assert from_text(to_text(same)) == decode(encode(same), "it") == same


def test_a_single_run_is_written_as_before_there_were_two() -> None:
    raw = json.loads(encode(SESSION))
    assert raw["version"] == 1
    assert "against" not in raw
    assert "compare" not in raw["view"]
    assert to_text(SESSION).startswith("gradviz:1:")


def test_what_is_left_over_holds_both_runs(tmp_path: Path) -> None:
    path = tmp_path / "left"
    for kept in ((b"", b""), (b"one", b""), (b"", b"other"), (b"one", b"other")):
        content = pack(BOTH, *kept)
        path.write_bytes(content)
        assert read_leftover(path) == (BOTH, *(body or None for body in kept))
    for length in (0, 16, 20, 40, len(content) - 9):
        path.write_bytes(content[:length])
        with pytest.raises(LeftoverError, match=r"cut off|something else"):
            read_leftover(path)
    text = encode(SESSION)
    path.write_bytes(b"GradVizAutosave1\n" + struct.pack("<II", len(text), zlib.crc32(text)) + text + b"one")
    assert read_leftover(path) == (SESSION, b"one", None)  # as it was written when there was one run


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda text: "> " + text.replace("\n", "\n> "),
        lambda text: ">> > " + text.replace("\n", "\r\n>> > "),
        lambda text: "Hello,\n\n" + text + "\nBest wishes",
        lambda text: text.replace("\n", ""),
        lambda text: "\n".join(text.replace("\n", "")[n : n + 20] for n in range(0, len(text), 20)),
        lambda text: " " + text.replace("\n", " \n\n\t"),
    ],
)
def test_a_text_survives_a_mail(spoiled: object) -> None:
    assert callable(spoiled)
    assert from_text(spoiled(to_text(SESSION))) == SESSION


def test_a_run_with_changes_and_a_branch_is_replayed_bit_for_bit() -> None:
    run = Experiment(SPEC)
    for _ in range(6):
        run.advance()
    run.apply(SLOWER)
    for _ in range(5):
        run.advance()
    run.apply(RELU)
    for _ in range(4):
        run.advance()
    run.go_to(11)
    run.apply(RELU.replace("training.optimizer", "adam"))  # a branch
    for _ in range(5):
        run.advance()
    run.apply(run.spec.replace("network.set_values", ("layer01.weight[0,0] = 2.5",)))
    run.go_to(9, 2)
    session = SessionFile(tuple(Settings(*item) for item in run.settings), 9, run.last_step, 2, left=left_of(run.left))
    assert session.left is not None
    assert session.left.fork == 11
    again = replayed(from_text(to_text(session)))
    assert_same_ghost(run, again)
    for step in (9, 11, 16):
        one, other = run.go_to(step, 2 if step == 9 else 0), again.go_to(step, 2 if step == 9 else 0)
        assert one.spec == other.spec
        assert run.network.vector.tobytes() == again.network.vector.tobytes()
        assert np.array_equal(one.gradient_norms, other.gradient_norms, equal_nan=True)
    for field in HISTORY:
        assert np.array_equal(getattr(run.history.table(), field), getattr(again.history.table(), field), equal_nan=True)


def assert_same_ghost(one: Experiment, other: Experiment) -> None:
    ghosts = one.snapshot().ghost, other.snapshot().ghost
    assert ghosts[0] is not None
    assert ghosts[1] is not None
    assert ghosts[0].branch_step == ghosts[1].branch_step
    assert ghosts[0].history.changes == ghosts[1].history.changes
    for field in HISTORY:
        assert np.array_equal(getattr(ghosts[0].history, field), getattr(ghosts[1].history, field), equal_nan=True)


def test_a_run_that_was_returned_to_is_replayed_with_its_branch() -> None:
    run = Experiment(SPEC)
    for _ in range(8):
        run.advance()
    run.go_to(5)
    run.apply(SLOWER)  # a branch
    for _ in range(6):
        run.advance()
    run.return_to_old_line()
    session = SessionFile(tuple(Settings(*item) for item in run.settings), 8, run.last_step, left=left_of(run.left))
    assert session.left == LeftRun((Settings(0, SPEC), Settings(5, SLOWER)), 11, 5, True)
    again = replayed(decode(encode(session), "it"))
    assert run.settings == again.settings
    assert run.network.vector.tobytes() == again.network.vector.tobytes()
    assert_same_ghost(run, again)


def test_a_branch_from_where_no_jump_leads_is_replayed_without_the_other_line() -> None:
    wrong = LeftRun((Settings(0, SPEC), Settings(2, RELU)), 6, 4)
    again = replayed(SessionFile((Settings(0, SPEC), Settings(5, SLOWER)), 7, 7, left=wrong))
    plain = replayed(SessionFile((Settings(0, SPEC), Settings(5, SLOWER)), 7, 7))
    assert again.network.vector.tobytes() == plain.network.vector.tobytes()
    assert again.snapshot().ghost is None


def test_what_cannot_be_continued_is_refused() -> None:
    run = Experiment(SPEC)
    with pytest.raises(ValueError, match="step 3"):
        list(run.follow([(3, SPEC.replace("network.width", 5))], 5))


def spoil(**changes: object) -> bytes:
    return json.dumps({**json.loads(encode(SESSION)), **changes}).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1, 2]", "Expected"),
        (b"{}", "no GradViz session"),
        (b"[" * 100_000, "nested more than 16"),
        (b" " * (MAX_BYTES + 1), "at most 5,000,000"),
        (spoil(version=3, colour=1), "newer GradViz"),
        (spoil(against=3), "against: Expected"),
        (spoil(against={"colour": 1}), "against: Object contains unknown field “colour”"),
        (spoil(against={"against": {}}), "against: Object contains unknown field “against”"),
        (spoil(against={"set": [1]}), "against.set"),
        (spoil(against={"set": {"network.colour": 1}}), "against.set: the field name is 'network.colour'"),
        (spoil(against={"set": {"network.depth": "deep"}}), "against.set: network.depth"),
        (spoil(against={"step": -1}), "against.step"),
        (spoil(against={"step": 7, "last_step": 3}), "against: step: 7"),
        (spoil(against={"last_step": 3, "changes": [{"step": 5, "set": {}}]}), "against: change 1: it is at step 5"),
        (spoil(against={"last_step": 3, "left": {"last_step": 2, "fork": 3}}), "against: left.fork"),
        (spoil(version=0), "version 0"),
        (spoil(version="1"), "version"),
        (spoil(colour=1), "unknown field “colour”"),
        (spoil(step=-1), "step: Expected"),
        (spoil(step=1e99), "step: Expected"),
        (spoil(step=10**30), "step"),
        (spoil(step=13), "step: 13"),
        (spoil(last_step=3, step=3), "change 1: it is at step 5"),
        (spoil(changes=[{"step": 5, "set": {}}, {"step": 4, "set": {}}]), "in the order"),
        (spoil(changes=[{"step": 5, "set": {"network.colour": 1}}]), "network.colour"),
        (spoil(changes=[{"step": 5, "set": {"network.skip_every": [[1]]}}]), "network.skip_every"),
        (spoil(changes=[{"step": 5}]), "changes"),
        (spoil(spec={"network": {"depth": "deep"}}), "network.depth"),
        (spoil(spec={"network": 3}), "network"),
        (spoil(spec={"data": {"noise": {"a": [1, {}]}}}), "data.noise"),
        (spoil(view={"page": "kitchen"}), "view.page"),
        (spoil(view={"zoom": 1e300}), "view.zoom"),
        (spoil(left={"fork": 7}), "left: "),
        (spoil(left={"fork": 7, "last_step": 3}), "left.fork"),
        (spoil(left={"fork": 2, "last_step": 3, "changes": [{"step": 4, "set": {}}]}), "left: change 1"),
        (spoil(notes="x" * 300_000), "notes"),
        (encode(SESSION).replace(b'"phases": 3', b'"phases": NaN'), "not JSON"),
        (encode(SESSION)[:-30], "not JSON"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(content: bytes, said: str) -> None:
    with pytest.raises(SessionFileError, match=r"run\.gradviz\.json") as caught:
        decode(content, "run.gradviz.json")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 2500


def packed(content: bytes, version: int = 1) -> str:
    small = zlib.compress(content, 9)
    return f"gradviz:{version}:{urlsafe_b64encode(small).decode().rstrip('=')}:{zlib.crc32(small):08x}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no session"),
        ("hello", "no session"),
        (to_text(SESSION)[:60], "cut off or altered"),
        (to_text(SESSION)[:-3], "cut off or altered"),
        (to_text(SESSION).replace("e", "f", 3), "check sum"),
        (packed(b"{}", 9), "newer GradViz"),
        (packed(b"[1]"), "Expected"),
        (packed(b" " * 40_000_000), "unpacked it has more"),
        (packed(b"[" * 4_000_000), "nested"),
        (packed(b'{"spec": [1]}'), "spec: it has to be an object"),
        (packed(b'{"spec": {"network.colour": 1}}'), "network.colour"),
        (packed(b'{"version": 5, "format": 3}'), "format"),
        (packed(b'{"step": 100000000}'), "step"),
    ],
)
def test_what_is_wrong_with_a_text_is_told(text: str, said: str) -> None:
    with pytest.raises(SessionFileError) as caught:
        from_text(text)
    assert said in str(caught.value)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_mutated_file_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(encode(SESSION))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "double"])):
            case "flip" if at < len(content):
                content[at] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 400))]
            case "insert":
                content[at:at] = data.draw(st.sampled_from([b"[", b'"', b"null", b"1e999", b"-9" * 40, b"\0", b'{"a":', b"true,", b"\\"]))
            case "double":
                content[at:at] = content[: data.draw(st.integers(1, 600))]
    try:
        found = decode(bytes(content), "it")
    except SessionFileError:
        return
    assert decode(encode(found), "it") == found


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)
FIELDS = ["format", "version", "title", "notes", "step", "last_step", "phases", "spec", "changes", "view"]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2), st.sampled_from(["spec", "view", "changes", ""]), JSON)
def test_a_field_of_any_type_is_read_or_refused(fields: dict[str, object], inside: str, value: object) -> None:
    raw = {**json.loads(encode(SESSION)), **fields}
    if inside == "changes":
        raw["changes"] = [{"step": 5, "set": {"network.activations": value, "training.clip": value}}]
    elif inside and isinstance(raw[inside], dict):
        for name in list(raw[inside])[:2]:
            raw[inside][name] = value
    for read in (lambda: decode(json.dumps(raw).encode(), "it"), lambda: from_text(packed(json.dumps(raw).encode()))):
        try:
            found = read()
        except SessionFileError:
            continue
        assert isinstance(found, SessionFile)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: ("gradviz:1:" + text).encode("utf-8", "replace")))
def test_random_bytes_are_refused(content: bytes) -> None:
    for read in (lambda: decode(content, "it"), lambda: from_text(content.decode("utf-8", "replace")), lambda: from_text(packed(content))):
        try:
            read()
        except SessionFileError:
            continue


# ---- writing


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_safely(path, b"one")
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    write_safely(link, b"two")
    assert path.read_bytes() == b"two"
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "link"]


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gradviz.json"
    write_session(SESSION, path)
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_session(SessionFile((Settings(0, SPEC),)), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_what_is_no_ordinary_file_is_not_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/full"), tmp_path / "missing" / "a.json"):
        with pytest.raises(OSError, match=r".+"):
            write_session(SESSION, path)
    with pytest.raises(SessionFileError, match="not an ordinary file"):
        read_session(tmp_path)
    with pytest.raises(SessionFileError, match="no such file"):
        read_session(tmp_path / "missing.gradviz.json")
    with pytest.raises(SessionFileError, match=r"(?s).+"):
        read_session("a\0b")
