"""Data sets: what is drawn from a seed, what a file may hold, and what is said of one that cannot be used."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradviz.data import DATASETS, SEQUENCES, Data, DataError, from_arrays, load
from gradviz.resources import RESOURCES
from gradviz.sequences import adding, recall
from gradviz.spec import DataSpec, Spec, field_info
from gradviz.tables import parse, read_file

TABLES = {name: entry for name, entry in DATASETS.items() if name not in SEQUENCES}
DRAWN = [name for name, entry in TABLES.items() if entry.generated]
SHIPPED = [name for name, entry in TABLES.items() if not entry.generated and name not in ("csv", "one_example")]


def made(name: str, samples: int = 200, noise: float = 0.1, test_fraction: float = 0.2, seed: int = 0) -> Data:
    return load(name, samples=samples, noise=noise, test_fraction=test_fraction, seed=seed)


def original(data: Data) -> np.ndarray:
    return data.inputs * data.input_std + data.input_mean


@pytest.mark.parametrize("name", DRAWN + SHIPPED)
def test_every_set_is_standardised_split_and_the_same_again(name: str) -> None:
    data, again = made(name), made(name)
    np.testing.assert_array_equal(data.inputs, again.inputs)
    np.testing.assert_array_equal(data.train, again.train)
    assert sorted([*data.train, *data.test]) == list(range(len(data.inputs)))
    assert len(data.test) == round(0.2 * len(data.inputs))
    part = data.inputs[data.train]
    np.testing.assert_allclose(part.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(part.std(axis=0)[np.ptp(part, axis=0) > 0], 1.0)
    assert len(data.input_names) == data.features
    if data.task == "classes":
        assert sorted(set(data.targets.tolist())) == list(range(len(data.class_names)))
    assert not np.array_equal(data.train, made(name, seed=1).train)


def test_shipped_sets_are_whole() -> None:
    sizes = {name: (*made(name).inputs.shape, len(made(name).class_names)) for name in SHIPPED}
    assert sizes == {"digits": (1797, 64, 10), "breast_cancer": (569, 30, 2), "wine": (178, 13, 3), "iris": (150, 4, 3)}
    digits = original(made("digits"))
    np.testing.assert_allclose(digits, np.rint(digits), atol=1e-9)
    assert (round(digits.min()), round(digits.max())) == (0, 16)
    np.testing.assert_array_equal(made("digits").targets[:12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])


@pytest.mark.parametrize("name", ["moons", "circles", "xor", "spirals", "blobs"])
def test_more_noise_moves_the_same_points_further(name: str) -> None:
    clean, little, much = (made(name, noise=noise) for noise in (0.0, 0.1, 0.3))
    np.testing.assert_array_equal(clean.train, much.train)
    np.testing.assert_array_equal(clean.targets, much.targets)
    moved = original(little) - original(clean)
    np.testing.assert_allclose(original(much) - original(clean), 3 * moved, atol=1e-12)
    assert 0.08 < moved.std() < 0.12


def test_noise_of_the_sine_displaces_values_only() -> None:
    clean, much = made("sine", noise=0.0), made("sine", noise=0.3)
    np.testing.assert_array_equal(clean.inputs, much.inputs)
    values = clean.targets * clean.target_std + clean.target_mean
    np.testing.assert_allclose(values, np.sin(2 * original(clean)), atol=1e-12)
    assert not np.allclose(much.targets, clean.targets)


def test_one_example_is_always_left_for_training() -> None:
    assert len(made("moons", samples=1, test_fraction=0.9).train) == 1
    assert len(made("moons", test_fraction=0.0).test) == 0


def test_one_example_of_ones_own_is_taken_as_it_is() -> None:
    data = load("one_example", samples=100, noise=1.0, test_fraction=0.5, seed=3, example=(0.05, -2.0))
    assert (data.inputs.tolist(), data.targets.tolist()) == ([[0.05]], [[-2.0]])
    assert (data.train.tolist(), data.test.tolist(), data.task) == ([0], [], "regression")


def test_arrays_are_not_changed_by_their_user() -> None:
    with pytest.raises(ValueError, match="read-only"):
        made("iris").inputs[0, 0] = 1.0


def test_unknown_set_is_named() -> None:
    with pytest.raises(DataError, match=r"'moon'.*moons, circles"):
        made("moon")


# -- sequences


def test_sequence_sets_are_split_like_the_others_and_the_same_again() -> None:
    assert SEQUENCES == ("recall", "adding", "japanese_vowels")
    for name in SEQUENCES:
        data, again = made(name), made(name)
        assert data.is_sequence
        assert (data.time, data.features) == data.inputs.shape[1:]
        assert len(data.input_names) == data.features
        np.testing.assert_array_equal(data.inputs, again.inputs)
        np.testing.assert_array_equal(data.train, again.train)
        assert sorted([*data.train, *data.test]) == list(range(len(data.inputs)))
        assert len(data.test) == round(0.2 * len(data.inputs))
        assert not np.array_equal(data.train, made(name, seed=1).train)
    assert not made("moons").is_sequence
    assert made("moons").time == 1
    np.testing.assert_array_equal(made("moons").train, made("recall").train)  # 200 rows each: the seed alone decides


def test_recall_and_adding_are_taken_as_they_are_and_reach_as_far_as_the_lag() -> None:
    settings = {"samples": 30, "noise": 1.0, "test_fraction": 0.2, "seed": 3}
    first, total = load("recall", lag=7, **settings), load("adding", lag=7, **settings)
    np.testing.assert_array_equal(first.inputs, recall(30, 7, seed=3).inputs)
    np.testing.assert_array_equal(total.inputs, adding(30, 7, seed=3).inputs)
    np.testing.assert_array_equal(total.targets[:, 0], adding(30, 7, seed=3).targets)
    assert (first.inputs.shape, first.outputs, first.class_names) == ((30, 8, 12), 4, ("A", "B", "C", "D"))
    assert (total.inputs.shape, total.outputs, total.task) == ((30, 7, 2), 1, "regression")
    assert load("adding", lag=1, **settings).time == 2
    for data in (first, total):
        np.testing.assert_array_equal((data.input_mean, data.input_std), [[0] * data.features, [1] * data.features])
    with pytest.raises(DataError, match=r"20,000 sequences of 1,001 time steps with 12 features .* shorter lag"):
        load("recall", samples=20_000, noise=0.0, test_fraction=0.2, seed=0, lag=1000)


def test_the_lag_is_a_setting_of_the_two_tasks() -> None:
    assert Spec(data=DataSpec("recall", lag=12)).replace("data.lag", 50).data.lag == 50
    needs = {name: field_info(f"data.{name}").needs for name in ("lag", "samples", "noise")}
    assert needs["lag"] == (("data.name", ("recall", "adding")),)
    assert needs["samples"] == (("data.name", (*DRAWN, "recall", "adding")),)
    assert needs["noise"] == (("data.name", tuple(DRAWN)),)
    assert field_info("data.lag").restarts


def test_vowels_are_whole_standardised_over_real_frames_and_filled_up_in_front() -> None:
    data = made("japanese_vowels")
    assert data.lengths is not None
    assert (data.inputs.shape, data.outputs, data.lengths.min(), data.lengths.max()) == ((640, 29, 12), 9, 7, 29)
    counts = np.bincount(data.targets[270:])
    np.testing.assert_array_equal(np.bincount(data.targets[:270]), [30] * 9)
    np.testing.assert_array_equal(counts, [31, 35, 88, 44, 29, 24, 40, 50, 29])  # as its authors tell them
    real = np.arange(29) >= 29 - data.lengths[:, None]
    assert data.lengths.sum() == 9961
    assert not data.inputs[~real].any()
    frames = data.inputs[data.train][real[data.train]]
    np.testing.assert_allclose(frames.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(frames.std(axis=0), 1.0)
    first = original(data)[0, -data.lengths[0] :]
    np.testing.assert_allclose(first[[0, 1, -1], 0], [1.860936, 1.891651, 1.261441], atol=1e-12)
    np.testing.assert_allclose(first[[0, -1], 1], [-0.207383, -0.63835], atol=1e-12)


def test_the_vowels_file_is_made_the_same_whenever_it_is_made() -> None:
    content = (RESOURCES / "data" / "japanese_vowels.csv.gz").read_bytes()
    assert content[4:8] == bytes(4)  # no time in the header of gzip


def test_own_sequences_are_taken_as_they_are() -> None:
    inputs = np.random.default_rng(0).normal(size=(6, 5, 3))
    data = from_arrays(inputs, [0, 1, 2, 0, 1, 2])
    np.testing.assert_array_equal(data.inputs, inputs)
    assert (data.is_sequence, data.time, data.features, data.outputs, data.input_names) == (True, 5, 3, 3, ("x₁", "x₂", "x₃"))
    assert from_arrays(inputs, np.ones((6, 2))).outputs == 2
    assert from_arrays(inputs.astype(np.float32), np.ones(6)).task == "regression"


# -- arrays of one's own


def test_own_arrays_are_taken_as_they_are() -> None:
    x, y = np.array([[1, 2], [3, 4], [5, 7]]), np.array([0, 2, 2])
    data = from_arrays(x, y)
    x[0, 0] = 99
    np.testing.assert_array_equal(data.inputs, [[1, 2], [3, 4], [5, 7]])
    assert data.inputs.dtype == np.float64
    assert (data.task, data.class_names, data.outputs, len(data.test)) == ("classes", ("0", "1", "2"), 3, 0)
    assert from_arrays(x, y > 0).outputs == 1
    assert from_arrays(x, np.zeros(3, int)).class_names == ("0", "1")
    assert from_arrays(x, [0.5, 1.0, 2.0]).targets.shape == (3, 1)
    assert from_arrays(x.astype(np.float32), np.ones((3, 2))).outputs == 2


@pytest.mark.parametrize(
    ("inputs", "targets", "what"),
    [
        (np.ones((3, 2)), np.ones(4), "3 rows but targets have 4"),
        (np.ones(3), np.ones(3), r"shape \(3,\)"),
        (np.ones((3, 2)), np.ones((3, 1, 1)), r"shape \(3, 1, 1\)"),
        (np.ones((0, 2)), np.ones(0), "nothing to learn"),
        (np.ones((3, 0)), np.ones(3), "nothing to learn"),
        (np.ones((3, 0, 2)), np.ones(3), "nothing to learn"),
        (np.ones((3, 2, 2, 2)), np.ones(3), r"shape \(3, 2, 2, 2\).*\(examples, time, features\) for sequences"),
        (np.ones((3, 2, 2)), np.ones((3, 2, 1)), r"targets have shape \(3, 2, 1\)"),
        (np.ones((3, 2, 2)), np.ones(2), "3 rows but targets have 2"),
        (np.full((2, 3, 1), np.inf), np.ones(2), r"inputs\[0, 0, 0\] is inf"),
        (np.array([[1.0], [np.nan]]), np.ones(2), r"inputs\[1, 0\] is nan"),
        (np.ones((2, 1)), np.array([1.0, np.inf]), r"targets\[1\] is inf"),
        (np.ones((2, 1)), np.array([0, -1]), "label -1"),
        (np.ones((2, 1)), np.array([0, 10**6]), "label 1000000"),
        (np.array([["a"], ["b"]]), np.ones(2), "inputs are of type <U1"),
        (np.ones((2, 1)), np.array([1j, 2]), "targets are of type complex128"),
        ([[1.0], [1.0, 2.0]], np.ones(2), "inputs are not an array"),
        (None, np.ones(2), "inputs are missing"),
    ],
)
def test_what_is_wrong_with_arrays_is_named(inputs: object, targets: object, what: str) -> None:
    with pytest.raises(DataError, match=what):
        from_arrays(inputs, targets)  # type: ignore[arg-type]


# -- tables


def csv_of(*rows: str) -> str:
    return "\n".join(rows) + "\n"


BODY = ("1,2,a", "2,3,b", "3,4,a", "4,5,b", "5,6,a")


@pytest.mark.parametrize("header", ["x,y,kind", ""])
def test_the_header_is_optional(header: str) -> None:
    table = parse(csv_of(*[header] * bool(header), *BODY))
    np.testing.assert_array_equal(table.inputs, [[1, 2], [2, 3], [3, 4], [4, 5], [5, 6]])
    np.testing.assert_array_equal(table.targets, [0, 1, 0, 1, 0])
    assert table.class_names == ("a", "b")
    assert table.input_names == (("x", "y") if header else ("column 1", "column 2"))


@pytest.mark.parametrize("target", ["y", "2", " y "])
def test_the_target_is_a_name_or_a_number(target: str) -> None:
    table = parse(csv_of("x,y,z", *(f"{n},{n / 7},{n * n}" for n in range(30))), target)
    assert table.input_names == ("x", "z")
    assert table.class_names == ()
    np.testing.assert_allclose(table.targets[:, 0], np.arange(30) / 7)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_quotes_blank_rows_and_byte_order_mark(delimiter: str, tmp_path: Path) -> None:
    lines = ['"the\nx"', "kind"], ["1", '"a"'], ["", ""], ["2", "b"], ["3", "a"], ["", ""], ["4", "b"], [" 5 ", " a "]
    file = tmp_path / "table.csv"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(delimiter.join(line) for line in lines).encode())
    table = read_file(str(file))
    np.testing.assert_array_equal(table.inputs[:, 0], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(table.targets, [0, 1, 0, 1, 0])


def test_decimal_commas_between_semicolons() -> None:
    table = parse(csv_of("x;y", *(f"{n},5;{n},25" for n in range(25))))
    np.testing.assert_array_equal(table.inputs[:, 0], np.arange(25) + 0.5)
    np.testing.assert_array_equal(table.targets[:, 0], np.arange(25) + 0.25)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["2", "10", "2.0", "7", "10"], ("2", "7", "10")),  # whole numbers, in their order
        (["0.5", "1.5", "0.5", "0.5", "1.5"], ("0.5", "1.5")),  # two values
        (["0.5", "1.5", "2.5", "0.5", "1.5"], ()),  # three that are not whole: regression
        ([str(n) for n in range(21)], ()),
        (["yes", "1", "no", "1", "no"], ("1", "no", "yes")),
    ],
)
def test_targets_are_classes_or_numbers(values: list[str], names: tuple[str, ...]) -> None:
    assert parse(csv_of("x,y", *(f"{n},{value}" for n, value in enumerate(values)))).class_names == names


WRONG = [
    ("", "The file is empty"),
    ("\n \n", "The file is empty"),
    ("x\n1\n2\n", "only one column"),
    (csv_of("x,mark,y", *BODY[:3], "4,n/a,b", *BODY), "Row 5, column 2 (mark) says “n/a”, which is not a number"),
    (csv_of("x,mark,y", *BODY, "", "4,1_0,b"), "Row 8, column 2 (mark) says “1_0”, which is not a number"),
    (csv_of(*BODY, "6,,a"), "Row 6, column 2 is empty"),
    (csv_of(*BODY, "6,7,"), "Row 6, column 3 is empty"),
    (csv_of(*BODY, "6,inf,a"), "Row 6, column 2 is not a finite number"),
    (csv_of(*BODY, "6,1e999,a"), "Row 6, column 2 is not a finite number"),
    (csv_of(*BODY, "6,-1e200,a"), "Row 6, column 2 is -1e+200, too large"),
    (csv_of("x,y", "1,2", "2,nan", "3,4", "4,5", "5,6"), "Row 3, column 2 (y) is not a finite number"),
    (csv_of("x,y,z", *BODY, "6,7"), "Row 7 has 2 cells, but row 1 has 3"),
    (csv_of(*BODY[:4]), "only 4 examples"),
    (csv_of("x,y,only", *(f"{n},1,a" for n in range(6))), "Column 3 (only) holds only one value, “a”"),
    (csv_of(*(f"{n},3.5" for n in range(6))), "Column 2 holds only one value, “3.5”"),
    (csv_of("x,name", *(f"{n},name{n}" for n in range(101))), "Column 2 (name) holds 101 different labels, more than 100"),
    (csv_of("x,y", *(f"{n},{n}.5" for n in range(101)), "1,n/a"), "Row 103, column 2 (y) says “n/a”"),
    (",".join(["1"] * 1025), "more than 1,024 columns"),
    (csv_of("x,y,z", *["1,2,3"] * 200_001), "more than 200,000 rows"),
    ("\n" * 1_000_001, "more than 1,000,000 lines"),
    ('x,y\n1,"' + "2,3\n" * 40_000, "Row 2 is not CSV"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_wrong_table_is_told_by_row_and_column(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert str(caught.value).endswith("Nothing was changed.")


def test_a_missing_target_column_is_told_with_those_there_are() -> None:
    with pytest.raises(DataError, match=r"no column “weight”\. It has the columns x, y, kind; .* from 1 to 3"):
        parse(csv_of("x,y,kind", *BODY), "weight")
    with pytest.raises(DataError, match=r"no column “4”\. It has no header"):
        parse(csv_of(*BODY), "4")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    large, latin = tmp_path / "large.csv", tmp_path / "latin.csv"
    with large.open("wb") as stream:
        stream.truncate(50_000_001)
    latin.write_bytes("x,y\n1,2\n3,größe\n".encode("latin-1"))
    os.mkfifo(tmp_path / "pipe")
    for path, message in [
        ("", "No file is chosen"),
        (str(tmp_path / "none.csv"), "There is no file"),
        (str(tmp_path), "is a folder"),
        (str(tmp_path / "pipe"), "is not an ordinary file"),
        (str(large), "is larger than 50 MB"),
        (str(latin), "Row 3 is not UTF-8 text"),
        ("a\0b", "cannot be read"),
        ("x" * 5000, "cannot be read"),
        ("~nobody-of-that-name/x.csv", "cannot be read"),
    ]:
        with pytest.raises(DataError, match=message):
            load("csv", samples=20, noise=0.0, test_fraction=0.2, seed=0, path=path)


def test_a_file_is_loaded_like_any_other_set(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(csv_of("x,constant,y", *(f"{n},0.1,{n * n}" for n in range(50))))
    data = load("csv", samples=20, noise=0.0, test_fraction=0.2, seed=0, path=str(file), target="y")
    assert (data.task, data.outputs, data.inputs.shape) == ("regression", 1, (50, 2))
    np.testing.assert_array_equal(data.inputs[:, 1], 0.0)
    np.testing.assert_allclose(data.targets * data.target_std + data.target_mean, np.arange(50.0)[:, None] ** 2, atol=1e-9)


@given(st.text(alphabet='0123456789.,;\t\n\r"-eExan_ \0\ufeff', max_size=200), st.sampled_from(["", "1", "x", "0", "²"]))
def test_any_text_gives_a_table_or_a_data_error(text: str, target: str) -> None:
    try:
        table = parse(text, target)
    except DataError:
        return
    assert np.isfinite(table.inputs).all()
    assert len(table.inputs) == len(table.targets) >= 5
