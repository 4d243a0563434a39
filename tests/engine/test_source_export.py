"""The exported source, run: the same outputs, loss, gradients and training steps as the engine."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradviz.activations import ACTIVATIONS
from gradviz.clipping import CLIPPINGS
from gradviz.experiment import Experiment
from gradviz.losses import LOSSES
from gradviz.optimizers import OPTIMIZERS
from gradviz.source_export import source, write_source
from gradviz.spec import DataSpec, NetworkSpec, Spec, TrainingSpec
from gradviz.weights_file import load_weights, weights_of

EXACT = 1e-9
SMALL = TrainingSpec(batch_size=10, seed=3, learning_rate=0.05)


def mlp(training: TrainingSpec = SMALL, data: DataSpec | None = None, **network: Any) -> Spec:
    return Spec(NetworkSpec(**{"depth": 4, "width": 5, **network}), data or DataSpec(samples=60), training)


def train(**changes: Any) -> TrainingSpec:
    return TrainingSpec(**{"batch_size": 10, "seed": 3, "learning_rate": 0.05, **changes})


def recurrent(kind: str, training: TrainingSpec = SMALL, **network: Any) -> Spec:
    return Spec(NetworkSpec(kind=kind, width=6, **network), DataSpec("recall", samples=40, lag=12), training)


SPECS: dict[str, Spec] = {
    **{f"mlp {name}": mlp(activation=name) for name in ACTIVATIONS},
    "mixed": mlp(depth=5, activations=("relu", "prelu", "tanh", "prelu", "gelu"), skip_every=2),
    "norm": mlp(batch_norm=True, activation="relu"),
    "norm with skips and α": mlp(batch_norm=True, activation="prelu", skip_every=1),
    "one layer, at zero": mlp(depth=1, activation="relu", relu_at_zero=0.5),
    "digits": mlp(data=DataSpec("digits")),
    **{f"{name} by mse": mlp(train(loss="mse"), DataSpec(name, samples=60)) for name in ("moons", "iris")},
    **{f"clip {name}": mlp(train(clip=name, clip_threshold=0.01, weight_decay=0.01)) for name in CLIPPINGS},
    **{f"optimiser {name}": mlp(train(optimizer=name, momentum=0.8)) for name in OPTIMIZERS},
    **{f"{kind} {name}": recurrent(kind, activation=name) for kind in ("rnn", "lstm") for name in ("tanh", "relu", "identity")},
    **{f"{kind} cut": recurrent(kind, train(truncate=5, clip="layer_norm", clip_threshold=0.001)) for kind in ("rnn", "lstm")},
}


def run_source(spec: Spec, kind: str, folder: Path, steps: int) -> tuple[Experiment, dict[str, Any]]:
    experiment = Experiment(spec)
    for _ in range(steps):
        experiment.advance()
    path = folder / "net.py"
    write_source(experiment, path, kind)
    text = path.read_text()
    assert "  \n" not in text
    assert "\n\n\n\n" not in text
    names: dict[str, Any] = {"__name__": "net", "__file__": str(path)}
    exec(compile(text, str(path), "exec"), names)
    return experiment, names


def close(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one, other, rtol=EXACT, atol=1e-12)


@pytest.mark.parametrize("name", SPECS)
def test_the_numpy_source_computes_what_the_engine_computes(name: str, tmp_path: Path) -> None:
    experiment, net = run_source(SPECS[name], "numpy", tmp_path, 3)
    normed = SPECS[name].network.batch_norm
    parameters, *running, inputs, targets = net["load"]()
    outputs, _ = net["forward"](parameters, *running, inputs)
    close(outputs, experiment.network.predict(inputs))
    chosen = experiment.trainer.batches.peek()
    loss, gradients = experiment.network.loss_and_gradients(inputs[chosen], targets[chosen])
    before = [{key: values.copy() for key, values in each.items()} for each in running]
    outputs, cache = net["forward"](parameters, *before, inputs[chosen], **({"training": True} if normed else {}))
    found, delta = net["loss_and_delta"](outputs, targets[chosen])
    close(found, loss)
    own = net["backward"](parameters, cache, delta)
    assert set(own) == set(gradients)
    for key, gradient in gradients.items():
        assert own[key].shape == gradient.shape
        close(own[key], gradient)


@pytest.mark.parametrize("name", SPECS)
def test_the_numpy_source_trains_as_the_engine_trains(name: str, tmp_path: Path) -> None:
    experiment, net = run_source(SPECS[name], "numpy", tmp_path, 0)
    parameters, *running, inputs, targets = net["load"]()
    memory = net["new_memory"](parameters)
    for step in range(1, 5):
        chosen = experiment.trainer.batches.peek()
        loss = net["training_step"](parameters, *running, memory, step, inputs[chosen], targets[chosen])
        experiment.advance()
        close(loss, experiment.trainer.loss)
    for key, values in experiment.network.parameters.items():
        np.testing.assert_allclose(parameters[key], values, rtol=1e-7, atol=1e-10)  # Adam divides by what may be as small as ε
    for key, values in experiment.network.running.items():
        close(running[0][key], values)


@pytest.mark.parametrize("name", SPECS)
def test_the_pytorch_source_computes_and_trains_as_the_engine(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    experiment, module = run_source(SPECS[name], "torch", tmp_path, 0)
    net, inputs, targets = module["load"]()
    net.eval()
    close(net(inputs).detach().numpy(), experiment.network.predict(inputs.numpy()))
    net.train()
    optimizer = module["new_optimizer"](net)
    for _ in range(4):
        chosen = experiment.trainer.batches.peek()
        loss = module["training_step"](net, optimizer, inputs[chosen], targets[chosen])
        experiment.advance()
        close(loss, experiment.trainer.loss)
    net.eval()
    np.testing.assert_allclose(net(inputs).detach().numpy(), experiment.network.predict(inputs.numpy()), rtol=1e-6, atol=1e-8)


TRAINED_OTHERWISE: dict[str, tuple[Spec, int]] = {
    "evolution of steps": (mlp(train(method="evolution", population=12), activation="step"), 4),
    "evolution with skips": (mlp(train(method="evolution", population=12), skip_every=2), 4),
    "a level in work": (mlp(train(method="pretraining", steps_per_level=3), activation="tanh"), 4),
    "fine-tuning": (mlp(train(method="pretraining", steps_per_level=2), activation="tanh"), 11),
}


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("name", TRAINED_OTHERWISE)
def test_a_net_that_was_not_trained_by_its_gradient_alone_computes_the_same(name: str, kind: str, tmp_path: Path) -> None:
    if kind == "torch":
        pytest.importorskip("torch")
    spec, steps = TRAINED_OTHERWISE[name]
    experiment, net = run_source(spec, kind, tmp_path, steps)
    if kind == "numpy":
        parameters, *running, inputs, _ = net["load"]()
        outputs, _ = net["forward"](parameters, *running, inputs)
    else:
        module, inputs, _ = net["load"]()
        outputs, inputs = module.eval()(inputs).detach().numpy(), inputs.numpy()
    close(outputs, experiment.network.predict(inputs))
    fresh = Experiment(spec).network.predict(inputs)
    assert not np.allclose(outputs, fresh)  # it is the trained one that is written


@pytest.mark.parametrize("written", ["numpy", "torch"])
@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_recurrent_net_with_loaded_weights_computes_the_same(kind: str, written: str, tmp_path: Path) -> None:
    if written == "torch":
        pytest.importorskip("torch")
    donor = Experiment(recurrent(kind, train(seed=8)))
    for _ in range(5):
        donor.advance()
    experiment = Experiment(recurrent(kind))
    load_weights(experiment.network, weights_of(donor.network, donor.spec, donor.step_count))
    write_source(experiment, tmp_path / "net.py", written)
    names: dict[str, Any] = {"__name__": "net", "__file__": str(tmp_path / "net.py")}
    exec(compile((tmp_path / "net.py").read_text(), "net.py", "exec"), names)
    if written == "numpy":
        parameters, inputs, _ = names["load"]()
        outputs, _ = names["forward"](parameters, inputs)
    else:
        module, inputs, _ = names["load"]()
        outputs, inputs = module.eval()(inputs).detach().numpy(), inputs.numpy()
    close(outputs, donor.network.predict(inputs))


def test_every_kind_of_net_can_be_exported() -> None:
    named = " ".join(SPECS)
    assert all(name in named for table in (ACTIVATIONS, CLIPPINGS, OPTIMIZERS) for name in table)
    used = {Experiment(spec).network.loss for spec in SPECS.values()}
    assert used == set(LOSSES) - {"auto"}


def test_the_source_runs_by_itself_and_tells_only_of_what_there_is(tmp_path: Path) -> None:
    experiment = Experiment(mlp(train(optimizer="adam", clip="norm")))
    experiment.advance()
    path = tmp_path / "my net.py"
    archive = write_source(experiment, path, "numpy")
    assert archive.name == "my net.npz"
    done = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("loss") == 10
    text = path.read_text()
    assert "after 1 training steps" not in text
    assert "sigmoid" in text
    for word in ("gradviz import", "tanh", "scale", "SKIPS", "alpha", "WEIGHT_DECAY", "MOMENTUM"):
        assert word not in text
    assert max(map(len, text.splitlines())) <= 140
    with pytest.raises(ValueError, match="numpy, torch"):
        source(experiment, "fortran")
