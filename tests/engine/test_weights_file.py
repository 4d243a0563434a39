"""Weights as safetensors: read back as written, also by the package of that name, and refused with a reason."""

import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradviz.experiment import Experiment
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from gradviz.weights_file import WeightsError, decode_weights, encode_weights, load_weights, read_weights, weights_of, write_weights

SPEC = Spec(NetworkSpec(depth=2, width=3, batch_norm=True, activation="prelu"), DataSpec(samples=40), TrainingSpec(batch_size=8))


def trained(spec: Spec = SPEC) -> Experiment:
    run = Experiment(spec)
    for _ in range(3):
        run.advance()
    return run


RUN = trained()
CONTENT = encode_weights(weights_of(RUN.network, SPEC, 3))


def file(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else msgspec.json.encode(header)
    return struct.pack("<Q", len(text)) + text + data


def test_weights_go_into_another_net_and_predict_the_same(tmp_path: Path) -> None:
    for spec in (SPEC, SPEC.replace("training.precision", "float32"), Spec(NetworkSpec(kind="lstm", width=4), DataSpec("recall", lag=5))):
        run, path = trained(spec), tmp_path / "net.safetensors"
        write_weights(weights_of(run.network, spec, run.step_count), path)
        read = read_weights(path)
        assert (read.spec, read.step) == (spec, 3)
        other = Experiment(spec.replace("training.seed", 9))
        load_weights(other.network, read)
        assert other.network.vector.tobytes() == run.network.vector.tobytes()
        assert other.network.predict(run.data.inputs).tobytes() == run.network.predict(run.data.inputs).tobytes()


def test_the_package_reads_it_and_it_reads_what_the_package_writes(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.numpy")
    found = package.load(CONTENT)
    assert all(np.array_equal(found[name], values) for name, values in RUN.network.parameters.items())
    again = decode_weights(package.save(dict(RUN.network.parameters), {"a": "b"}), "it")
    assert again.spec is None
    assert all(np.array_equal(again.arrays[name], values) for name, values in RUN.network.parameters.items())


ONE = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes"),
        (b"\xff" * 8, "no .safetensors file"),
        (CONTENT[:100], "cut off in its header"),
        (CONTENT[:-5], "5 bytes too early"),
        (CONTENT + b"x", "belong to nothing"),
        (file(b"hello"), "not JSON"),
        (file(b"[" * 1_000_000), "nested"),
        (file([1]), "Expected"),
        (file({"a": 1}), "a: Expected"),
        (file({"a": {**ONE, "colour": 1}}, b"12345678"), "unknown field"),
        (file({"a": {**ONE, "dtype": "I64"}}, b"12345678"), "reads F64, F32"),
        (file({"a": {**ONE, "shape": [2]}}, b"12345678"), "do not fit"),
        (file({"a": {**ONE, "shape": [10**8] * 8}}, b"12345678"), "do not fit"),
        (file({"a": {**ONE, "shape": [10**30]}}, b"12345678"), "a: "),
        (file({"a": {**ONE, "shape": [-1]}}, b"12345678"), ">= 0"),
        (file({"a": ONE, "b": ONE}, b"12345678"), "do not fit"),
        (file({"a": {**ONE, "data_offsets": [8, 16]}}, b"x" * 16), "do not fit"),
        (file({"__metadata__": {"a": 1}}), "__metadata__"),
        (file({"__metadata__": {"made_by": "GradViz", "step": "x"}}), "its step"),
        (file({"__metadata__": {"made_by": "GradViz", "spec": "x"}}), "its settings"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(content: bytes, said: str) -> None:
    with pytest.raises(WeightsError) as caught:
        decode_weights(content, "net.safetensors")
    assert said in str(caught.value)


def test_weights_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    before = RUN.network.vector.tobytes()
    good = weights_of(RUN.network, SPEC, 3)
    for changed, said in (
        ({"layer01.weight": np.zeros((9, 9))}, "needs"),
        ({"layer02.weight": np.full((3, 3), np.nan)}, "not finite"),
        ({"colour": np.zeros(1)}, "no array of this net"),
    ):
        with pytest.raises(WeightsError, match=said):
            load_weights(RUN.network, msgspec.structs.replace(good, arrays={**good.arrays, **changed}))
    with pytest.raises(WeightsError, match="missing"):
        load_weights(RUN.network, msgspec.structs.replace(good, arrays={}))
    assert RUN.network.vector.tobytes() == before
    for path in (tmp_path, tmp_path / "none.safetensors", Path("a\0b")):
        with pytest.raises(WeightsError):
            read_weights(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_file_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(CONTENT)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(content), 1500)))
        match data.draw(st.sampled_from(["flip", "cut", "insert"])):
            case "flip" if at < len(content):
                content[at] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 100))]
            case "insert":
                content[at:at] = data.draw(st.binary(min_size=1, max_size=9))
    try:
        load_weights(trained().network, decode_weights(bytes(content), "it"))
    except WeightsError:
        return
