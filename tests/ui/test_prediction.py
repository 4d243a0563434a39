"""The prediction panel: every kind is drawn, small and large, with NaN too, and its exact numbers can be read off."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gradviz.arrays import Floats
from gradviz.data import from_arrays, load
from gradviz.prediction import predict
from gradviz.snapshot import Prediction, Snapshot
from tests.ui.fabricate import fabricate
from tests.ui.painted import pixels, vectors
from ui.compare.effects import effects
from ui.panels.plots import borders, finite_runs, percent
from ui.panels.prediction import PredictionPanel
from ui.theme import THEMES


def network(inputs: Floats, outputs: int) -> Floats:
    """A net that never learnt anything, but answers."""
    rows = inputs.reshape(len(inputs), -1)
    weights = np.random.default_rng(5).normal(size=(rows.shape[1], outputs))
    return np.asarray(3.0 * np.sin(rows @ weights))


def predicted(name: str, path: str = "", nan: str = "") -> Prediction:
    data = load(name, samples=80, noise=0.1, test_fraction=0.2, seed=0, path=path)

    def answer(inputs: Floats) -> Floats:
        outputs = network(inputs, data.outputs)
        some = inputs.reshape(len(inputs), -1)[:, 0] > 0.5
        bad = {"": np.zeros(len(inputs), bool), "some": some, "all": np.ones(len(inputs), bool)}[nan]
        return np.where(bad[:, None], np.nan, outputs)

    return predict(data, answer)


def shown(qtbot: QtBot, prediction: Prediction | None, theme: str = "dark") -> PredictionPanel:
    panel = PredictionPanel()
    qtbot.addWidget(panel)
    panel.set_theme(THEMES[theme])
    panel.show_snapshot(with_prediction(prediction))
    panel.resize(360, 330)
    return panel


def with_prediction(prediction: Prediction | None) -> Snapshot:
    return msgspec.structs.replace(fabricate(depth=2, width=3), prediction=prediction)


@pytest.fixture
def own_csv(tmp_path: Path) -> str:
    rows = np.random.default_rng(1).normal(size=(60, 4))
    file = tmp_path / "own.csv"
    file.write_text("\n".join(",".join(map(str, row)) for row in rows))
    return str(file)


KINDS = {"moons": "surface", "blobs": "surface", "sine": "curve", "digits": "images", "wine": "confusion", "csv": "scatter"}
KINDS |= dict.fromkeys(("recall", "adding", "japanese_vowels"), "sequences")


@pytest.mark.parametrize("nan", ["", "some", "all"])
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_drawn_in_any_size_and_marks_nan(qtbot: QtBot, name: str, nan: str, own_csv: str) -> None:
    panel = shown(qtbot, predicted(name, own_csv, nan), "light")
    prediction = panel.snapshot.prediction if panel.snapshot else None
    assert prediction is not None
    assert prediction.kind == KINDS[name]
    magenta = int(THEMES["light"].nan[1:], 16)
    for width, height in ((240, 200), (360, 330), (900, 600), (60, 50)):
        colours = pixels(panel, width, height)
        assert len(np.unique(colours)) > 2
        if width >= 240 and (nan == "all" or (nan == "some" and prediction.kind in ("surface", "curve"))):
            assert (colours == magenta).any()
        elif not nan:
            assert not (colours == magenta).any()
    assert len(panel.table().rows) > 2


@pytest.mark.parametrize("name", KINDS)
def test_all_but_nan_is_grey(qtbot: QtBot, name: str, own_csv: str) -> None:
    colours = pixels(shown(qtbot, predicted(name, own_csv)))
    channels = np.stack([colours >> shift & 0xFF for shift in (16, 8, 0)]).astype(int)
    assert np.ptp(channels, axis=0).max() <= 36  # the greys of the chrome lean a little to blue


def test_vectors_of_a_surface(qtbot: QtBot) -> None:
    panel = shown(qtbot, predicted("blobs"))
    text = vectors(panel, 360, 330)
    assert "Prediction" in text
    assert text.count("<path") + text.count("<polyline") > 20


def test_the_heading_says_which_accuracy(qtbot: QtBot) -> None:
    panel = shown(qtbot, predicted("moons"))
    accuracy = predicted("moons").accuracy
    assert accuracy is not None
    assert panel.accessibleDescription() == f"test accuracy {percent(accuracy)}"
    data = load("moons", samples=80, noise=0.1, test_fraction=0.0, seed=0)
    panel.show_snapshot(with_prediction(predict(data, lambda inputs: network(inputs, 1))))
    assert panel.accessibleDescription().startswith("training accuracy")
    panel.show_snapshot(with_prediction(predicted("sine")))
    assert panel.accessibleDescription() == ""


def test_a_share_is_whole_only_when_it_is() -> None:
    assert [percent(share) for share in (1.0, 0.998, 0.97, 0.5, 0.002, 0.0, float("nan"))] == [
        "100 %",
        "99.8 %",
        "97 %",
        "50 %",
        "0.2 %",
        "0 %",
        "NaN",
    ]


def test_before_the_first_step_and_cleared(qtbot: QtBot) -> None:
    panel = shown(qtbot, None)
    empty = pixels(panel)
    assert len(np.unique(empty)) > 2
    assert panel.table().rows == ()
    panel.show_snapshot(with_prediction(predicted("iris")))
    assert not np.array_equal(pixels(panel), empty)
    panel.clear()
    np.testing.assert_array_equal(pixels(panel), empty)


def test_the_card_has_the_exact_numbers(qtbot: QtBot, own_csv: str) -> None:
    panel = shown(qtbot, predicted("moons"))
    card = panel.card_at(QPointF(190, 150))
    assert card is not None
    assert card[0].startswith("at ")
    assert card[1][0][0] == "probability of class 1"
    assert panel.card_at(QPointF(5, 5)) is None

    panel.show_snapshot(with_prediction(predicted("wine")))
    cards = [panel.card_at(QPointF(x, y)) for x in range(0, 360, 10) for y in range(0, 330, 10)]
    found = {tuple(value for _, value in card[1][:2]): card[0] for card in cards if card is not None}
    confusion = predicted("wine").confusion
    assert confusion is not None
    assert len(found) == 9
    assert found["grower 2", "grower 1"].split()[0] == str(confusion[1, 0])

    for name in ("digits", "sine", "csv", "recall", "adding", "japanese_vowels"):
        panel.show_snapshot(with_prediction(predicted(name, own_csv)))
        assert any(panel.card_at(QPointF(x, y)) for x in range(0, 360, 4) for y in range(0, 330, 4)), name


def test_the_card_follows_the_pointer(qtbot: QtBot) -> None:
    panel = shown(qtbot, predicted("moons"))
    panel.show()
    qtbot.waitExposed(panel)
    before = panel.grab().toImage()
    QTest.mouseMove(panel, QPoint(190, 150))
    qtbot.waitUntil(lambda: panel.grab().toImage() != before)
    panel.leaveEvent(QEvent(QEvent.Type.Leave))
    assert panel.grab().toImage() == before


def test_the_table_holds_what_is_pixels(qtbot: QtBot) -> None:
    prediction = predicted("moons")
    table = shown(qtbot, prediction).table()
    assert prediction.grid is not None
    kinds = [row[0] for row in table.rows]
    assert (kinds.count("training point"), kinds.count("test point"), kinds.count("surface")) == (64, 16, prediction.grid.size)
    assert table.rows[-1][1:] == (prediction.extent[1], prediction.extent[3], prediction.grid[-1, -1])


def test_borders_lie_between_the_answers() -> None:
    x = np.linspace(-1, 1, 9)
    lines = borders(np.tile(1 / (1 + np.exp(-4 * (x - 0.1))), (9, 1)), 2)
    assert len(lines) == 8
    np.testing.assert_allclose(lines[:, [0, 2]], (0.1 + 1) * 4, atol=0.02)
    thirds = np.repeat([[0.0, 1.0, 2.0]], 12, axis=0).repeat(4, axis=1)
    found = borders(thirds, 3)
    assert sorted(set(np.round(found[:, 0], 6))) == [3.5, 7.5]
    thirds[:] = np.nan
    assert len(borders(thirds, 3)) == 0


def test_runs_of_finite_values() -> None:
    runs = finite_runs(np.array([np.nan, 1, 2, np.inf, 3, np.nan]))
    assert [list(run) for run in runs] == [[1, 2], [4]]
    assert finite_runs(np.array([np.nan])) == []


# -- sequences


def test_a_sequence_tells_what_is_asked_for_and_what_is_answered(qtbot: QtBot) -> None:
    prediction = predicted("adding")
    assert prediction.sequences is not None
    assert prediction.labels is not None
    panel = shown(qtbot, prediction)
    card = panel.card_at(QPointF(100, 70))
    assert card is not None
    assert card[0] == "Sequence 1"
    rows = dict(card[1])
    values, marks = prediction.sequences[0].T
    steps = [f"number at step {time + 1}" for time in np.flatnonzero(marks)]
    np.testing.assert_allclose([float(rows[step]) for step in steps], values[marks == 1], rtol=1e-6)
    assert list(rows)[-2:] == ["true", "answered"]
    assert panel.table().columns == ("sequence", "true", "answered")
    assert [row[1] for row in panel.table().rows] == prediction.labels.tolist()

    panel.show_snapshot(with_prediction(predicted("recall")))
    assert panel.table().columns == ("sequence", "true", "answered", "confidence")
    assert panel.accessibleDescription().startswith("test accuracy")


def test_with_room_all_answers_stand_beneath_or_beside_the_sequences(qtbot: QtBot) -> None:
    panel = shown(qtbot, predicted("recall"))
    for size, more in (((360, 330), True), ((240, 200), False), ((800, 300), True)):
        panel.resize(*size)
        cards = (panel.card_at(QPointF(x, y)) for x in range(0, size[0], 8) for y in range(0, size[1], 8))
        titles = {card[0] for card in cards if card is not None}
        assert {f"Sequence {n}" for n in (1, 2, 3, 4)} <= titles
        assert any("example" in title for title in titles) == more


def test_what_is_right_or_wrong_looks_different(qtbot: QtBot) -> None:
    prediction = predicted("recall")
    assert prediction.labels is not None
    right = msgspec.structs.replace(prediction, answers=prediction.labels, confidences=np.full(4, 0.9))
    wrong = msgspec.structs.replace(right, answers=(prediction.labels + 1) % 4)
    assert not np.array_equal(pixels(shown(qtbot, right)), pixels(shown(qtbot, wrong)))


@pytest.mark.parametrize("shape", [(5, 1, 1), (1, 40, 2), (6, 3, 200)])
def test_own_sequences_of_any_shape_are_pixels(qtbot: QtBot, shape: tuple[int, int, int]) -> None:
    inputs = np.random.default_rng(3).normal(size=shape)
    for targets in (np.arange(float(shape[0])), np.arange(shape[0]) % 2):
        data = from_arrays(inputs, targets)
        panel = shown(qtbot, predict(data, lambda asked: asked.sum(axis=(1, 2))[:, None]))
        for size in ((240, 200), (360, 330), (900, 600)):
            assert len(np.unique(pixels(panel, *size))) > 2
        assert len(panel.table().rows) == min(4, shape[0])


def test_one_and_a_thousand_time_steps_are_pixels(qtbot: QtBot) -> None:
    for name in ("recall", "adding"):
        for lag in (1, 2, 1000):
            data = load(name, samples=20, noise=0.0, test_fraction=0.2, seed=0, lag=lag)
            panel = shown(qtbot, predict(data, lambda inputs, n=data.outputs: network(inputs, n)))
            assert len(np.unique(pixels(panel))) > 2


def test_where_no_answer_is_finite_there_is_no_accuracy(qtbot: QtBot) -> None:
    data = load("moons", samples=80, noise=0.1, test_fraction=0.2, seed=0)
    snapshot = with_prediction(predict(data, lambda inputs: np.full((len(inputs), 1), np.nan)))
    assert not snapshot.diverged  # the run itself is still going
    panel = shown(qtbot, predicted("moons"))
    panel.show_snapshot(snapshot)
    assert snapshot.prediction is not None
    assert panel._captions(snapshot.prediction)[0] == "no finite answers"
    assert panel.accessibleDescription() == ""
    shares = [row for row in effects(snapshot, snapshot) if "accuracy" in row.title]
    assert shares == []
