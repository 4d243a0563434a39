"""Recordings that were cut off, altered or made up: whatever is in the file, it opens as far as it goes or says in words why not."""

import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gradviz import DataSpec, Experiment, NetworkSpec, Spec, TrainingSpec
from gradviz.playback import open_recording
from gradviz.recording import Recorder
from gradviz.recording_format import PAGE_SIZE, STATES, RecordingError, crc_of_body, crc_of_step, row_id
from gradviz.recording_reader import RecordingReader
from gradviz.recording_salvage import SalvagedRows
from tests.engine.test_recording import recorded

SPEC = Spec(NetworkSpec(depth=2, width=3), DataSpec(samples=40), TrainingSpec(batch_size=8))
STEPS = 400


class Whole(bytes):
    """The content of a recording; hypothesis prints what it gives a test, and this is long."""

    def __repr__(self) -> str:
        return f"a recording of {len(self)} bytes"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "run.gradviz"
    recorded(path, STEPS, SPEC)
    return Whole(path.read_bytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="module")
def losses() -> list[float]:
    experiment, found = Experiment(SPEC), []
    for _ in range(STEPS):
        experiment.advance()
        found.append(experiment.trainer.loss)
    return found


def opened(folder: Path, content: bytes, losses: list[float]) -> str:
    """What is said of the file; whatever is opened of it is right."""
    path = folder / "run.gradviz"
    path.write_bytes(content)
    try:
        playback = open_recording(path)
    except RecordingError as error:
        return str(error)
    table = playback.experiment.history.table()
    assert table.loss.tolist() == [losses[step - 1] for step in table.steps]
    assert playback.experiment.step_count == (table.steps[-1] if len(table.steps) else 0)
    return playback.damage


many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(share=st.floats(0.0, 0.999999))
@example(share=0.0)
@example(share=0.5)
def test_a_file_that_was_cut_off_opens_up_to_there_and_says_so(whole: bytes, folder: Path, losses: list[float], share: float) -> None:
    length = int(share * len(whole))
    said = opened(folder, whole[:length], losses)
    assert "is empty" in said if length == 0 else "cut off" in said


def test_the_longer_the_part_that_is_left_the_more_steps_open(whole: bytes, folder: Path) -> None:
    path, ends = folder / "part.gradviz", []
    for pages in range(9, len(whole) // PAGE_SIZE):
        path.write_bytes(whole[: pages * PAGE_SIZE])
        playback = open_recording(path)
        ends.append(playback.experiment.last_step)
        assert f"of {STEPS} steps up to step {STEPS} are missing" in playback.damage
    assert ends == sorted(ends)
    assert 0 < ends[0] < ends[-1] <= STEPS


@many
@given(places=st.lists(st.tuples(st.floats(0.0, 0.999999), st.integers(0, 7)), min_size=1, max_size=60))
def test_flipped_bits_open_as_far_as_checksums_fit(
    whole: bytes, folder: Path, losses: list[float], places: list[tuple[float, int]]
) -> None:
    content = bytearray(whole)
    for share, bit in places:
        content[int(share * len(content))] ^= 1 << bit
    opened(folder, bytes(content), losses)


@many
@given(start=st.floats(0.0, 0.999), rubbish=st.binary(max_size=3000))
def test_random_bytes_in_the_middle_crash_nothing(whole: bytes, folder: Path, losses: list[float], start: float, rubbish: bytes) -> None:
    at = int(start * len(whole))
    opened(folder, whole[:at] + rubbish + whole[at + len(rubbish) :], losses)


@many
@given(content=st.binary(max_size=2000))
def test_random_bytes_are_no_recording(folder: Path, content: bytes) -> None:
    assert opened(folder, content, [])
    assert opened(folder, b"SQLite format 3\0" + content, [])


def test_rows_found_page_by_page_are_those_of_the_table(whole: bytes, folder: Path) -> None:
    path = folder / "rows.gradviz"
    path.write_bytes(whole)
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT * FROM steps ORDER BY id").fetchall()
        states = connection.execute("SELECT * FROM states ORDER BY id").fetchall()
    connection.close()
    found = SalvagedRows(path)
    assert list(found.select(0, 0, STEPS)) == rows
    assert list(found.select(STATES, row_id(STATES), row_id(STATES + 1))) == states


def forged(whole: bytes, folder: Path, change: Callable[[sqlite3.Connection], object]) -> Path:
    path = folder / "forged.gradviz"
    path.write_bytes(whole)
    with sqlite3.connect(path) as connection:
        change(connection)
    connection.close()
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON steps BEGIN DELETE FROM steps; END",
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    ],
)
def test_what_could_run_in_the_file_is_not_run(whole: bytes, folder: Path, statement: str) -> None:
    playback = open_recording(forged(whole, folder, lambda connection: connection.execute(statement)))
    assert "altered" in playback.damage
    assert playback.experiment.last_step == STEPS


def test_an_endless_view_in_place_of_a_table_is_not_read(whole: bytes, folder: Path) -> None:
    def change(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE facts")
        endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)"
        connection.execute(f"CREATE VIEW facts AS {endless} SELECT i id, i body, i crc FROM n")

    with pytest.raises(RecordingError, match="nothing can be opened"):
        open_recording(forged(whole, folder, change))


def test_a_row_of_the_wrong_length_does_not_count_though_its_checksum_fits(whole: bytes, folder: Path) -> None:
    layers = bytes(8 * 10_000)
    crc = crc_of_step(7, 1.0, 1.0, 1.0, layers)
    path = forged(whole, folder, lambda c: c.execute("INSERT OR REPLACE INTO steps VALUES(7, 1.0, 1.0, 1.0, ?, ?)", (layers, crc)))
    assert "1 of 400 steps" in open_recording(path).damage


@pytest.mark.parametrize(
    ("table", "body", "match"),
    [
        ("settings", b"[" * 100_000, "cannot be read"),
        ("settings", b'{"index": 0, "step": 0, "data": "", "spec": {"network": {"depth": 1e9}}}', "depth"),
        ("settings", b'{"index": 0, "step": 0, "data": "", "spec": {}}', "other data|layers"),
        ("facts", b'{"layers": 5}', "layers"),
        ("facts", b'{"layers": ["a"]}', "layers"),
        ("states", b"", "checkpoint"),
        ("states", b"\xff\xff\xff\xff{}", "checkpoint"),
        ("states", b'\x27\x00\x00\x00{"array": "<f8", "shape": [9000000000]}', "checkpoint"),
        ("states", b'\x1f\x00\x00\x00{"record":"os.system","fields":{}}', "checkpoint"),
    ],
)
def test_what_is_made_up_with_a_checksum_that_fits_is_refused(whole: bytes, folder: Path, table: str, body: bytes, match: str) -> None:
    def change(connection: sqlite3.Connection) -> None:
        (row,) = connection.execute(f"SELECT min(id) FROM {table}").fetchone()
        connection.execute(f"UPDATE {table} SET body = ?, crc = ? WHERE id = ?", (body, crc_of_body(row, body), row))

    with pytest.raises(RecordingError, match=match):
        open_recording(forged(whole, folder, change))


def test_a_checkpoint_of_another_network_is_refused(whole: bytes, folder: Path, tmp_path: Path) -> None:
    other = Experiment(SPEC.replace("network.width", 4))
    recorder = Recorder(tmp_path / "other.gradviz", other)
    other.advance()
    recorder.append(other)
    recorder.close()
    with sqlite3.connect(tmp_path / "other.gradviz") as connection:
        rows = connection.execute("SELECT * FROM states").fetchall()
    connection.close()
    with pytest.raises(RecordingError, match="does not fit its network"):
        open_recording(forged(whole, folder, lambda c: c.executemany("INSERT OR REPLACE INTO states VALUES(?,?,?)", rows)))


def test_a_newer_format_says_that_gradviz_must_be_updated(whole: bytes, folder: Path) -> None:
    path = forged(whole, folder, lambda connection: connection.execute("PRAGMA user_version = 2"))
    with pytest.raises(RecordingError, match="newer GradViz"):
        open_recording(path)


def test_another_sqlite_file_is_no_recording(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE steps(a)")
    connection.close()
    with pytest.raises(RecordingError, match="no recording"):
        RecordingReader(tmp_path / "other.db")
    with pytest.raises(FileNotFoundError):
        RecordingReader(tmp_path / "none.gradviz")


def test_the_checksum_of_a_row_is_the_crc_32_of_its_numbers(whole: bytes, folder: Path) -> None:
    path = folder / "rows.gradviz"
    path.write_bytes(whole)
    with sqlite3.connect(path) as connection:
        row, *heads, layers, crc = connection.execute("SELECT * FROM steps WHERE id = 5").fetchone()
    connection.close()
    assert crc == zlib.crc32(np.array([row], "<i8").tobytes() + np.array(heads, "<f8").tobytes() + layers)
