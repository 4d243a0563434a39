"""The lessons: the lecture is covered, every number has a source, every claim and every answer is what the engine measures."""

import functools
import itertools
import json
import math
import re
from pathlib import Path

import msgspec
import pytest

from gradviz.lesson_runs import Answer, act, answer, play_scene
from gradviz.lessons import Action, Check, Lesson, lessons, read_lesson
from gradviz.prediction_game import lecture_rounds
from gradviz.quantities import LAB_VIEWS, OF_A_LAYER, OF_THE_RUN, fill, names_in, quantity, written
from gradviz.resources import RESOURCES
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import SpecError

ROWS = [*(f"A{n}" for n in range(1, 10)), *(f"B{n}" for n in range(1, 9)), *(f"C{n}" for n in range(1, 6)), "D1", "D2", "D3", "E"]
SEEDS = (0, 1, 2)
MOST_STEPS = 400
MOST_WORK = 100_000_000  # steps × parameters × examples: half a second or so
PAGES = ("overview", "chain", "inspect", "lab")
IN_WORDS = ("0.9", "1.1", "0.25", "0.01", "2.5", "2.49", "1.5", "0.5", "0.001", "0.1")
"""Decimals that are definitions, settings or possible answers, not measurements."""

LESSONS = {lesson.name: lesson for lesson in lessons()}
every_lesson = pytest.mark.parametrize("name", LESSONS)


@functools.cache
def scene_of(name: str) -> Snapshot:
    lesson = LESSONS[name]
    return play_scene(lesson).measure(lesson.look)


@functools.cache
def answer_to(name: str, seed: int | None = None) -> Answer:
    return answer(LESSONS[name], seed)


def texts_of(lesson: Lesson) -> list[str]:
    """All that is read while the scene stands."""
    return [lesson.title, lesson.idea, *lesson.text]


def holds(check: Check, value: float) -> bool:
    if check.equals is not None:
        return math.isclose(value, check.equals, rel_tol=check.within, abs_tol=0.0 if check.equals else check.within)
    return (check.at_least is None or value >= check.at_least) and (check.below is None or value < check.below) and not math.isnan(value)


def test_every_row_of_the_lecture_has_its_lesson() -> None:
    assert {row for lesson in LESSONS.values() for row in lesson.rows} == set(ROWS)


def test_lessons_follow_each_other_and_are_found_by_name() -> None:
    orders = [lesson.order for lesson in lessons()]
    assert orders == sorted(set(orders))
    assert set(LESSONS) == {path.stem for path in (RESOURCES / "lessons").glob("*.json")}


@every_lesson
def test_parts_of_a_lesson(name: str) -> None:
    lesson = LESSONS[name]
    assert 2 <= len(lesson.text) <= 4
    assert len(lesson.tries) in (2, 3)
    assert len(lesson.question.cases) >= 2
    assert lesson.question.because
    assert lesson.checks
    most = max(lesson.scene.steps, lesson.question.steps)
    assert most <= MOST_STEPS
    snapshot = scene_of(name)
    assert most * snapshot.architecture.parameter_count * snapshot.batch <= MOST_WORK
    for paragraph in lesson.text:
        assert len(re.findall(r"[.?!](?:\s|$)", paragraph)) <= 3, paragraph


@every_lesson
def test_answers_exclude_each_other_and_cover_the_whole_axis(name: str) -> None:
    cases = sorted(LESSONS[name].question.cases, key=lambda case: -math.inf if case.at_least is None else case.at_least)
    assert cases[0].at_least is None
    assert cases[-1].below is None
    for case, following in itertools.pairwise(cases):
        assert case.below is not None
        assert case.below == following.at_least


@every_lesson
def test_numbers_in_the_texts_have_a_source(name: str) -> None:
    lesson, snapshot = LESSONS[name], scene_of(name)
    for text in texts_of(lesson):
        for place in names_in(text):
            assert math.isfinite(quantity(snapshot, place)), place
        filled = fill(text, snapshot)
        assert "–" not in filled
        assert "{" not in filled


@every_lesson
def test_no_measured_number_stands_in_the_words(name: str) -> None:
    lesson = LESSONS[name]
    said = [*texts_of(lesson), lesson.question.text, lesson.question.because, *(case.text for case in lesson.question.cases)]
    said += [words for attempt in lesson.tries for words in (attempt.text, attempt.look_at)]
    for text in said:
        decimals = re.findall(r"\d+[.,]\d+|\d×10|10[⁻⁰-⁹]", re.sub(r"\{[^}]*\}", "", text))
        assert not set(decimals) - set(IN_WORDS), text


@every_lesson
def test_the_scene_is_as_the_lesson_says(name: str) -> None:
    for check in LESSONS[name].checks:
        value = quantity(scene_of(name), check.quantity)
        assert holds(check, value), f"{check}: {value}"


@every_lesson
@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_one_answer_is_right_whatever_the_seed(name: str, seed: int | None) -> None:
    lesson, right = LESSONS[name], answer_to(name)
    found = answer_to(name, seed)
    assert found.case is not None
    assert found.case == right.case, f"{found.value} in place of {right.value}"
    assert sum(case.holds(found.value) for case in lesson.question.cases) == 1
    filled = fill(lesson.question.because, found.snapshot)
    assert "–" not in filled


@every_lesson
def test_tries_can_be_done_in_the_engine_and_lead_to_numbers(name: str) -> None:
    lesson = LESSONS[name]
    experiment, look = play_scene(lesson), lesson.look
    for attempt in lesson.tries:
        for action in attempt.actions:
            look = act(experiment, look, action)
            assert action.do != "page" or action.value in PAGES
            assert action.do != "lab" or action.value in LAB_VIEWS
        snapshot = experiment.measure(look)
        for place in names_in(attempt.look_at):
            value = quantity(snapshot, place)  # raises for an unknown name
            if not any(action.do in ("play", "step_phase", "set") for action in attempt.actions):
                assert math.isfinite(value), f"{attempt.text}: {place}"


@every_lesson
def test_one_view_of_the_lab_serves_the_whole_lesson(name: str) -> None:
    lesson = LESSONS[name]
    said = [*texts_of(lesson), lesson.question.because]
    needed = {place.partition(".")[0] for text in said for place in names_in(text)} & set(LAB_VIEWS)
    assert needed <= {lesson.look.lab}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_deep_plain_net_trains_worse_than_a_shallow_one_and_a_residual_one_does_not(seed: int) -> None:
    lesson = LESSONS["b2-deeper-is-worse"]
    depth = lesson.spec.network.depth
    plain = play_scene(lesson, seed).measure(Look())
    shallow = answer_to(lesson.name, seed).snapshot
    skips = lesson.spec.replace("network.skip_every", 2)
    raw = msgspec.to_builtins(skips)
    residual = play_scene(msgspec.structs.replace(lesson, scene=msgspec.structs.replace(lesson.scene, spec=raw)), seed).measure(Look())
    assert quantity(residual, "depth") == depth > quantity(shallow, "depth")
    worse, better = quantity(plain, "loss.recent"), quantity(shallow, "loss.recent")
    assert worse > 1.3 * better
    assert quantity(residual, "loss.recent") < 1.15 * better
    assert 1e-3 < quantity(plain, "L1.gradient") < 1.0  # healthy: it has not vanished


# ---- the vocabulary and the format


def snapshot_of(steps: int) -> Snapshot:
    lesson = next(iter(LESSONS.values()))
    scene = msgspec.structs.replace(lesson.scene, steps=steps)
    return play_scene(msgspec.structs.replace(lesson, scene=scene)).measure(Look())


def test_every_quantity_can_be_asked_for_at_any_time() -> None:
    for snapshot in (snapshot_of(0), snapshot_of(2)):
        for name in (*OF_THE_RUN, *(f"{layer}.{kind}" for layer in ("L1", "L99", "Out", "first", "last") for kind in OF_A_LAYER)):
            assert isinstance(quantity(snapshot, name), float), name


@pytest.mark.parametrize("name", ["", "nonsense", "L1", "L0.gradient", "L1.nonsense", "X.gradient", "chain."])
def test_unknown_quantities_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no quantity"):
        quantity(snapshot_of(0), name)


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0.00234, "", "0.0023"),
        (8.4e-9, "", "8.4×10⁻⁹"),
        (-0.5, "", "−0.50"),
        (250.0, "", "250"),
        (0.0, "", "0"),
        (math.nan, "", "–"),
        (math.inf, "", "∞"),
        (-math.inf, "x", "−∞"),
        (0.236, "x", "×0.24"),
        (3e-7, "x", "×3.0×10⁻⁷"),
        (400.0, "d", "400"),
        (2.4985, "g", "2.4985"),
        (-122.5, "g", "−122.5"),
        (1e-7, "g", "1×10⁻⁷"),
        (2.4985, ".3f", "2.498"),
    ],
)
def test_numbers_are_written_for_people(value: float, style: str, text: str) -> None:
    assert written(value, style) == text


def test_places_are_filled_and_the_unknown_is_a_dash() -> None:
    assert fill("step {step:d}, {loss}, {L1.gradient:x}", snapshot_of(0)) == "step 0, –, –"


def test_an_action_that_there_is_not_is_refused() -> None:
    lesson = next(iter(LESSONS.values()))
    with pytest.raises(ValueError, match="fly"):
        act(play_scene(lesson), lesson.look, Action("fly"))


@pytest.mark.parametrize("content", [b"", b"{}", b'{"title": 1}'])
def test_a_file_that_is_no_lesson_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"broken\.json"):
        read_lesson(path)


def test_each_round_of_the_game_goes_with_one_lesson() -> None:
    told = [lesson.guess for lesson in LESSONS.values() if lesson.guess]
    assert sorted(told) == sorted(item.title for item in lecture_rounds())


def test_a_lesson_with_a_round_that_is_not_there_is_refused(tmp_path: Path) -> None:
    lesson = json.loads((RESOURCES / "lessons" / "a6-relu.json").read_text()) | {"guess": "Another seed"}
    (tmp_path / "own.json").write_text(json.dumps(lesson))
    with pytest.raises(SpecError, match=r"own\.json"):
        read_lesson(tmp_path / "own.json")
