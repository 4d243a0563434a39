"""What an experiment is: the file format, and errors that name the field, the value and what is allowed."""

import json
import math
import pickle
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradviz.fields import FieldInfo
from gradviz.spec import RECURRENT_ACTIVATIONS, DataSpec, NetworkSpec, Spec, SpecError, TrainingSpec, all_fields, field_info

STRUCTS: dict[str, Any] = {"network": NetworkSpec, "data": DataSpec, "training": TrainingSpec}
FIELDS = {info.path: info for info in all_fields()}
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def values_of(info: FieldInfo) -> st.SearchStrategy[Any]:
    low, high = info.minimum, info.maximum
    choices = st.sampled_from([value for value, _ in info.choices]) if info.choices else st.nothing()
    whole = st.integers(int(low), int(high)) if info.kind in ("int", "ints") and low is not None and high is not None else st.nothing()
    return {
        "int": whole,
        "ints": st.none() | st.lists(whole, min_size=10, max_size=10).map(tuple),  # as many as the default depth
        "float": st.floats(low, high),
        "bool": st.booleans(),
        "choice": choices,
        "choices": st.none() | st.lists(choices, min_size=10, max_size=10).map(tuple),
        "entries": st.lists(st.builds("layer{:02d}.weight[{},{}] = {!r}".format, *[st.integers(0, 99)] * 3, FINITE)).map(tuple),
        "text": st.text(st.characters(exclude_categories=["Cs"])),
    }[info.kind]


def sections(**fixed: Any) -> st.SearchStrategy[Spec]:
    return st.builds(
        Spec,
        **{
            section: st.builds(
                struct,
                **{info.name: fixed.get(info.path, values_of(info)) for info in FIELDS.values() if info.section == section},
            )
            for section, struct in STRUCTS.items()
        },
    )


@given(
    sections(**{"network.depth": st.just(10), "network.kind": st.just("mlp"), "training.elite": st.integers(0, 3)})
    | sections(
        **{"network.depth": st.just(10), "network.activation": st.sampled_from(RECURRENT_ACTIVATIONS), "training.elite": st.integers(0, 3)}
    )
)
def test_json_round_trip(spec: Spec) -> None:
    again = Spec.from_json(spec.to_json())
    assert again == spec
    assert again.to_json() == spec.to_json()
    assert hash(again) == hash(spec)
    assert Spec.from_json(spec.to_json().encode()) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_missing_fields_take_their_defaults() -> None:
    assert Spec.from_json("{}") == Spec()
    assert Spec.from_json('{"network": {"depth": 3}}') == Spec(network=NetworkSpec(depth=3))


def test_a_list_is_as_good_as_a_tuple() -> None:
    spec = Spec(NetworkSpec(depth=2, widths=[8, 4], activations=["relu", "tanh"]))  # type: ignore[arg-type]
    assert spec == Spec.from_json(spec.to_json())
    assert spec.replace("network.depth", 3).network.widths == (8, 4, 8)


NUMPY = [
    ("network.depth", np.int64(10), 10),
    ("network.width", np.uint8(3), 3),
    ("network.gain", np.float64(0.1), 0.1),
    ("network.gain", np.float32(0.5), 0.5),
    ("network.gain", np.int32(2), 2),
    ("network.batch_norm", np.True_, True),
    ("network.activation", np.str_("relu"), "relu"),
    ("network.widths", tuple(np.full(10, 4)), (4,) * 10),
    ("network.widths", list(np.full(10, 4)), (4,) * 10),
]


@pytest.mark.parametrize(("path", "value", "expected"), NUMPY, ids=repr)
def test_a_numpy_scalar_is_as_good_as_a_number(path: str, value: Any, expected: Any) -> None:
    section, name = path.split(".")
    for spec in (Spec(**{section: STRUCTS[section](**{name: value})}), Spec().replace(path, value)):
        kept = spec.get(path)
        assert kept == expected
        assert type(kept) is type(expected)
        assert Spec.from_json(spec.to_json()) == spec


def test_a_depth_from_numpy_cuts_the_lists_of_the_layers() -> None:
    spec = Spec(NetworkSpec(depth=3, widths=(2, 3, 4))).replace("network.depth", np.int64(2))
    assert spec.network.widths == (2, 3)


WRONG = [
    ("network.depth", np.int64(0), "from 1 to 1000"),
    ("network.depth", np.float64(2.0), "a whole number"),
    ("network.depth", np.True_, "a whole number"),
    ("network.gain", np.float64(math.nan), "from 0 to 1000"),
    ("network.depth", 0, "from 1 to 1000"),
    ("network.depth", 1001, "from 1 to 1000"),
    ("network.depth", 2.0, "a whole number"),
    ("network.depth", True, "a whole number"),
    ("network.depth", "10", "a whole number"),
    ("network.depth", None, "a whole number"),
    ("network.depth", 10**400, "from 1 to 1000"),
    ("network.gain", -0.1, "from 0 to 1000"),
    ("network.gain", 10**400, "from 0 to 1000"),
    ("network.gain", [1.0], "a number"),
    ("network.activation", "swish", "sigmoid, tanh, relu"),
    ("network.activation", 3, "sigmoid, tanh, relu"),
    ("network.activation", ["relu"], "sigmoid, tanh, relu"),
    ("network.batch_norm", 1, "true or false"),
    ("data.path", 5, "text"),
    ("training.learning_rate", math.nan, "a number from 0"),
    ("training.learning_rate", math.inf, "a number from 0"),
    ("training.learning_rate", -math.inf, "a number from 0"),
    ("training.clip_threshold", 0.0, "a number from 1e-09"),
    ("training.seed", -1, "from 0"),
]


@pytest.mark.parametrize(("path", "value", "allowed"), WRONG, ids=str)
def test_an_error_names_field_value_and_what_is_allowed(path: str, value: object, allowed: str) -> None:
    section, name = path.split(".")
    for attempt in (lambda: STRUCTS[section](**{name: value}), lambda: Spec().replace(path, value)):
        with pytest.raises(SpecError) as caught:
            attempt()
        error = caught.value
        assert (error.field, error.value) == (path, value) or (math.isnan(value) and math.isnan(error.value))  # type: ignore[arg-type]
        assert path in str(error)
        assert allowed in str(error)
        assert len(str(error)) < 300
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # it crosses from the engine's process to the window's


@pytest.mark.parametrize("info", all_fields(), ids=lambda info: info.path)
def test_every_field_rejects_what_is_of_no_type_at_all(info: FieldInfo) -> None:
    with pytest.raises(SpecError) as caught:
        Spec.from_json(json.dumps({info.section: {info.name: {"a": 1}}}))
    assert caught.value.field == info.path


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"widths": (8, 8)}, ["network.widths", "(8, 8)", "10 entries"]),
        ({"activations": ()}, ["network.activations", "()", "10 entries"]),
        ({"depth": 2, "widths": (8, 0)}, ["network.widths", "layer 2", "is 0", "from 1 to 1024"]),
        ({"depth": 2, "widths": (8, 2.5)}, ["network.widths", "layer 2", "2.5", "a whole number"]),
        ({"depth": 1, "activations": ("swish",)}, ["network.activations", "layer 1", "'swish'", "sigmoid"]),
        ({"widths": 8}, ["network.widths", "is 8", "one entry per hidden layer"]),
        ({"activations": "relu"}, ["network.activations", "'relu'", "one entry per hidden layer"]),
    ],
)
def test_errors_of_per_layer_fields(changes: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        NetworkSpec(**changes)
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["JSON"]),
        ("{", ["JSON"]),
        ("[" * 100_000, ["JSON"]),
        ('{"network":' * 100_000, ["JSON"]),
        (b"\xff\xfe{}", ["JSON"]),
        ("3", ["the spec", "3", "network, data, training"]),
        ("null", ["the spec", "network, data, training"]),
        ('{"net": {}}', ["the spec", "'net'", "network, data, training"]),
        ('{"network": 3}', ["network", "3", "depth"]),
        ('{"network": {"dept": 3}}', ["network", "'dept'", "depth"]),
        ('{"network": {"depth": NaN}}', ["JSON"]),
        ('{"network": {"gain": 1e999}}', ["1e999"]),
        ('{"network": {"depth": ' + "9" * 5000 + "}}", []),
        ('{"network": {"widths": [[1], 2]}}', ["network.widths", "layer 1"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_texts_that_are_no_spec(text: str | bytes, parts: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        Spec.from_json(text)
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert len(message) < 500


def test_a_section_of_the_wrong_kind() -> None:
    with pytest.raises(SpecError, match=r"network.*gradviz\.NetworkSpec"):
        Spec(network={"depth": 3})  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=r"'training\.speed'.*network\.depth"):
        Spec().get("training.speed")
    with pytest.raises(SpecError, match="depth"):
        Spec().replace("depth", 3)


def test_specs_cannot_be_changed_in_place() -> None:
    with pytest.raises(AttributeError):
        Spec().network.depth = 3  # type: ignore[misc]


def test_replace_keeps_per_layer_lists_as_long_as_the_net_is_deep() -> None:
    spec = Spec(NetworkSpec(depth=3, width=5, activation="tanh", widths=(2, 3, 4), activations=("relu", "elu", "silu")))
    deeper = spec.replace("network.depth", 5).network
    assert (deeper.widths, deeper.activations) == ((2, 3, 4, 5, 5), ("relu", "elu", "silu", "tanh", "tanh"))
    assert spec.replace("network.depth", 1).network.widths == (2,)
    assert spec.replace("network.activation", "gelu").network.layer_activations == ("gelu",) * 3
    assert spec.replace("network.width", 7).network.layer_widths == (7, 7, 7)
    for value in (10**12, -1, 0, True, 2.5):
        with pytest.raises(SpecError, match=r"network\.depth"):
            spec.replace("network.depth", value)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("network.depth", "20", 20),
        ("network.gain", "1e-3", 1e-3),
        ("network.gain", "2", 2),
        ("network.batch_norm", "true", True),
        ("network.activation", "relu", "relu"),
        ("network.widths", "[8, 4, 8, 4, 8, 4, 8, 4, 8, 4]", (8, 4) * 5),
        ("network.widths", "null", None),
        ("data.path", "123", "123"),
        ("data.path", "my file.csv", "my file.csv"),
        ("training.clip", "layer_norm", "layer_norm"),
    ],
)
def test_replace_from_text(path: str, text: str, value: object) -> None:
    assert Spec().replace_from_text(path, text).get(path) == value


@pytest.mark.parametrize(("path", "text"), [("network.depth", "ten"), ("network.depth", ""), ("network.batch_norm", "yes"), ("x.y", "1")])
def test_replace_from_text_errors(path: str, text: str) -> None:
    with pytest.raises(SpecError, match=path.replace(".", r"\.")):
        Spec().replace_from_text(path, text)


@given(st.text(max_size=40), st.sampled_from(sorted(FIELDS)))
def test_replace_from_any_text_is_accepted_or_a_spec_error(text: str, path: str) -> None:
    try:
        spec = Spec().replace_from_text(path, text)
    except SpecError:
        return
    assert Spec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("info", all_fields(), ids=lambda info: info.path)
def test_every_field_knows_what_a_control_needs(info: FieldInfo) -> None:
    assert info is field_info(info.path)
    assert info.title
    assert info.help.endswith(".")
    assert info.default == getattr(STRUCTS[info.section](), info.name)
    assert info.kind in ("int", "float", "bool", "choice", "text", "entries", "ints", "choices")
    if info.kind in ("int", "float", "ints"):
        assert info.minimum is not None
        assert info.maximum is not None
        assert info.minimum < info.maximum
    if info.kind in ("choice", "choices"):
        assert all(value and title for value, title in info.choices)
    for other, values in info.needs:
        assert values
        assert set(values) < {value for value, _ in field_info(other).choices}


def test_all_fields_are_there_once() -> None:
    expected = {f"{section}.{item.name}" for section, struct in STRUCTS.items() for item in msgspec.structs.fields(struct)}
    assert set(FIELDS) == expected
    assert len(all_fields()) == len(expected)


def test_the_elite_is_smaller_than_the_population() -> None:
    with pytest.raises(SpecError) as told:
        TrainingSpec(population=4, elite=4)
    assert (told.value.field, told.value.value) == ("training.elite", 4)
    with pytest.raises(SpecError, match=r"training\.elite"):
        Spec(training=TrainingSpec(elite=50)).replace("training.population", 50)
    assert TrainingSpec(population=5, elite=4).elite == 4


def test_a_field_counts_where_all_its_conditions_hold() -> None:
    spec = Spec().replace("training.optimizer", "momentum")
    assert spec.counts("training.momentum")
    assert not spec.replace("training.method", "evolution").counts("training.momentum")
    assert not Spec().counts("training.momentum")
    assert Spec().counts("network.depth")
    assert not Spec().replace("network.kind", "lstm").counts("network.depth")


def test_a_recurrent_net_has_fewer_activations_to_choose_from() -> None:
    assert Spec().choices("network.activation") == field_info("network.activation").choices
    recurrent = Spec().replace("network.kind", "rnn").choices("network.activation")
    assert {value for value, _ in recurrent} == set(RECURRENT_ACTIVATIONS)
