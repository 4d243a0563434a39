"""What an experiment is: frozen, validated records that are at once the state, the controls and the file format.

Every field carries its title, range, choices and help, so that the window can build its controls and the
command line its errors from this one file. A field that cannot be accepted raises `SpecError`, which names the
field, the value and what is allowed.
"""

from __future__ import annotations

import functools
import typing
from typing import Annotated, Any

import msgspec

from gradviz.activations import ACTIVATIONS
from gradviz.clipping import CLIPPINGS
from gradviz.data import DATASETS, SEQUENCES
from gradviz.fields import FieldInfo, SpecError, Validated, check, choice, fields_of, number, plain, without_numpy
from gradviz.initializers import INITIALIZERS
from gradviz.losses import LOSSES
from gradviz.nesting import decode_json
from gradviz.optimizers import OPTIMIZERS

MAX_PARAMETERS = 20_000_000
"""Largest network that is built: at float64 the parameters, their gradient and the optimiser stay under 1 GB."""

MAX_BATCH_BYTES = 1_500_000_000
"""What every layer keeps of a mini-batch for the way back, all layers together."""

KINDS = {"mlp": "Feed-forward", "rnn": "Plain RNN", "lstm": "LSTM"}
METHODS = {"gradient": "Back-propagation", "pretraining": "Level by level, then all", "evolution": "Genetic algorithm"}
RECURRENT_ACTIVATIONS = ("tanh", "relu", "identity")  # of these f′ is known from f, so that no pre-activation need be kept

ONE_EXAMPLE = (("data.name", ("one_example",)),)
OWN_FILE = (("data.name", ("csv",)),)
GENERATED = (("data.name", tuple(name for name, entry in DATASETS.items() if entry.generated)),)
BY_GRADIENT = (("training.method", ("gradient", "pretraining")),)
PRETRAINED = (("training.method", ("pretraining",)),)
EVOLVED = (("training.method", ("evolution",)),)
FEED_FORWARD = (("network.kind", ("mlp",)),)
RECURRENT = (("network.kind", ("rnn", "lstm")),)
LSTM = (("network.kind", ("lstm",)),)
NOISY = (("data.name", tuple(name for name in GENERATED[0][1] if name not in SEQUENCES)),)
LAGGED = (("data.name", tuple(name for name in GENERATED[0][1] if name in SEQUENCES)),)
WITH_MOMENTUM = (("training.optimizer", ("momentum", "nesterov")),)
CLIPPED = (("training.clip", tuple(name for name in CLIPPINGS if name != "none")),)


class NetworkSpec(Validated, frozen=True, forbid_unknown_fields=True):
    """The network: hidden layers of Linear → BatchNorm (if on) → activation, then one Linear output layer."""

    kind: Annotated[str, choice("Network", "Layer behind layer, or one cell that reads a sequence step by step: unrolled, a time step takes the place of a layer.", KINDS, restarts=True)] = "mlp"
    depth: Annotated[int, number("Hidden layers", "How many hidden layers the signal crosses; the output layer comes on top.", 1, 1000, restarts=True, needs=FEED_FORWARD)] = 10
    width: Annotated[int, number("Units per layer", "How many units each hidden layer has.", 1, 1024, restarts=True)] = 8
    activation: Annotated[str, choice("Activation", "The function after each hidden layer. Its slope is a factor of every gradient that passes.", ACTIVATIONS)] = "sigmoid"
    initializer: Annotated[str, choice("Initialisation", "How the first weights are drawn. It sets whether signals shrink or grow from layer to layer.", INITIALIZERS, restarts=True, needs=FEED_FORWARD)] = "xavier_normal"
    gain: Annotated[float, number("Gain", "The first weights are multiplied by this.", 0.0, 1000.0, unit="×", log=True, restarts=True, needs=FEED_FORWARD)] = 1.0
    spectral_radius: Annotated[float, number("Spectral radius", "Largest |eigenvalue| of the first recurrent matrix: the factor per time step, before the slopes.", 0.0, 4.0, restarts=True, needs=RECURRENT)] = 1.0
    forget_bias: Annotated[float, number("Forget bias", "First bias of the LSTM's forget gates: the larger, the longer the cell remembers at first.", -10.0, 10.0, restarts=True, needs=LSTM)] = 1.0
    skip_every: Annotated[int, number("Skip every", "Each residual block spans this many hidden layers and adds its input to its output; 0 for none.", 0, 10, needs=FEED_FORWARD)] = 0
    batch_norm: Annotated[bool, plain("Batch norm", "Normalise each unit's pre-activation over the mini-batch, then scale and shift it.", restarts=True, needs=FEED_FORWARD)] = False
    widths: Annotated[tuple[int, ...] | None, plain("Widths", "One width per hidden layer, instead of the same for all.", restarts=True, each=(1, 1024), needs=FEED_FORWARD)] = None
    activations: Annotated[tuple[str, ...] | None, plain("Activations", "One activation per hidden layer, instead of the same for all.", table=ACTIVATIONS, needs=FEED_FORWARD)] = None
    relu_at_zero: Annotated[float, number("ReLU slope at 0", "ReLU has no derivative at exactly 0; any subgradient in [0, 1] may stand for it.", 0.0, 1.0, group="advanced", needs=FEED_FORWARD)] = 0.0
    set_values: Annotated[tuple[str, ...], plain("Set by hand", "Parameters that get a value of your own, such as layer01.weight[0,0] = 2.5 (unit before, unit; counted from 0).", group="advanced")] = ()
    weights_from: Annotated[str, plain("First weights", "The file the first weights were loaded from, after its CRC-32; empty where they are drawn. “Load weights…” sets it.", restarts=True, group="advanced")] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind != "mlp":
            if self.activation == "sigmoid":  # the feed-forward net's default; a recurrent cell's is tanh
                msgspec.structs.force_setattr(self, "activation", "tanh")
            elif self.activation not in RECURRENT_ACTIVATIONS:
                raise SpecError("network.activation", self.activation, f"tanh, relu or identity with network.kind {self.kind!r}")
        for name in ("widths", "activations"):
            values = getattr(self, name)
            if values is not None and len(values) != self.depth:
                raise SpecError(f"network.{name}", values, f"{self.depth} entries, one per hidden layer (network.depth), or null")

    @property
    def recurrent(self) -> bool:
        """Whether it reads sequences, one time step after another."""
        return self.kind != "mlp"

    @property
    def layer_widths(self) -> tuple[int, ...]:
        """The width of each hidden layer, first one first."""
        return self.widths if self.widths is not None else (self.width,) * self.depth

    @property
    def layer_activations(self) -> tuple[str, ...]:
        """The activation of each hidden layer, first one first."""
        return self.activations if self.activations is not None else (self.activation,) * self.depth


class DataSpec(Validated, frozen=True, forbid_unknown_fields=True):
    """The data set: generated, shipped, or a CSV file of the user's own."""

    name: Annotated[str, choice("Data set", "What the network learns.", DATASETS)] = "moons"
    samples: Annotated[int, number("Samples", "How many examples are generated; shipped sets and files keep their own number.", 20, 20_000, log=True, needs=GENERATED)] = 500
    noise: Annotated[float, number("Noise", "Spread of the random displacement added to each generated example.", 0.0, 2.0, needs=NOISY)] = 0.1
    lag: Annotated[int, number("Lag", "How many time steps lie between what is asked for and the answer. Recall has one time step more, the adding problem as many (at least 2).", 1, 1000, log=True, restarts=True, needs=LAGGED)] = 100
    test_fraction: Annotated[float, number("Test share", "The share of the examples that is kept aside and never trained on.", 0.0, 0.9, group="advanced")] = 0.2
    path: Annotated[str, plain("File", "The CSV file, when the data set is a file of your own.", needs=OWN_FILE)] = ""
    target: Annotated[str, plain("Target column", "The column of the file to predict; the last one if empty.", needs=OWN_FILE)] = ""
    example_input: Annotated[float, number("Input x", "The input of the one example.", -1000.0, 1000.0, needs=ONE_EXAMPLE)] = 1.0
    example_target: Annotated[float, number("Target y", "What the network should answer to it.", -1e6, 1e6, needs=ONE_EXAMPLE)] = 1.0


class TrainingSpec(Validated, frozen=True, forbid_unknown_fields=True):
    """How the network is trained: loss, optimiser, mini-batches, clipping and the seed of everything random."""

    method: Annotated[str, choice("Method", "How the weights are found: by their gradients; each layer by itself first, as an auto-encoder without labels; or by a population that evolves.", METHODS, restarts=True)] = "gradient"
    steps_per_level: Annotated[int, number("Steps per level", "How long each layer is trained by itself before fine-tuning begins.", 1, 100_000, log=True, restarts=True, needs=PRETRAINED)] = 200
    loss: Annotated[str, choice("Loss", "What is minimised; auto picks by the data.", LOSSES)] = "auto"
    optimizer: Annotated[str, choice("Optimiser", "How a gradient becomes a change of the weights.", OPTIMIZERS, needs=BY_GRADIENT)] = "sgd"
    learning_rate: Annotated[float, number("Learning rate", "η: how far each step follows the gradient.", 0.0, 1000.0, log=True, needs=BY_GRADIENT)] = 0.1
    momentum: Annotated[float, number("Momentum", "The share of the last step's velocity that is kept.", 0.0, 0.999, needs=BY_GRADIENT + WITH_MOMENTUM)] = 0.9
    weight_decay: Annotated[float, number("Weight decay", "λ: adds λ·θ to the gradient, which pulls every parameter towards 0.", 0.0, 10.0, log=True, group="advanced", needs=BY_GRADIENT)] = 0.0
    batch_size: Annotated[int, number("Batch size", "How many examples each step averages its gradient over.", 1, 10_000, log=True, needs=BY_GRADIENT)] = 32
    clip: Annotated[str, choice("Clip gradient", "Limit the gradient before the update. By norm the direction stays, only the length changes.", CLIPPINGS, needs=BY_GRADIENT)] = "none"
    clip_threshold: Annotated[float, number("Threshold", "The largest value or norm that passes unclipped.", 1e-9, 1e9, log=True, needs=BY_GRADIENT + CLIPPED)] = 1.0
    level_rate: Annotated[float, number("Level's rate", "η of a level in pre-training, which Adam scales.", 0.0, 10.0, log=True, restarts=True, group="advanced", needs=PRETRAINED)] = 0.005
    population: Annotated[int, number("Population", "How many individuals there are, each a whole net.", 4, 5000, log=True, restarts=True, needs=EVOLVED)] = 200
    mutation: Annotated[float, number("Mutation", "σ of the first mutations; it then adapts.", 0.001, 10.0, log=True, restarts=True, needs=EVOLVED)] = 0.3
    tournament: Annotated[int, number("Tournament", "How many compete for each place as a parent; the best wins.", 1, 100, log=True, restarts=True, group="advanced", needs=EVOLVED)] = 3
    elite: Annotated[int, number("Elite", "How many of the best pass on unchanged; fewer than the population.", 0, 100, restarts=True, group="advanced", needs=EVOLVED)] = 2
    crossover: Annotated[float, number("Crossover", "The share of the children with two parents.", 0.0, 1.0, restarts=True, group="advanced", needs=EVOLVED)] = 0.5
    mutated: Annotated[float, number("Mutated genes", "The share of its genes that a child has mutated.", 0.0, 1.0, restarts=True, group="advanced", needs=EVOLVED)] = 0.05
    spread: Annotated[float, number("First spread", "σ of the first individuals around the net's first weights.", 0.0, 10.0, restarts=True, group="advanced", needs=EVOLVED)] = 1.0
    truncate: Annotated[int, number("Truncate", "Truncated back-propagation: the gradient goes back through this many time steps only; 0 for all.", 0, 1000, unit="steps", needs=RECURRENT + BY_GRADIENT)] = 0
    seed: Annotated[int, number("Seed", "Draws the data, the first weights and the order of the mini-batches. The same seed gives the same run.", 0, 2**31 - 1, restarts=True)] = 0
    stop_after: Annotated[int, number("Stop after", "Pause when this many steps are done; 0 to go on for ever.", 0, 1_000_000_000, unit="steps", group="stop")] = 0
    precision: Annotated[str, choice("Precision", "The floating-point numbers of the engine.", {"float64": "64 bit", "float32": "32 bit"}, group="advanced")] = "float64"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.elite >= self.population:
            raise SpecError("training.elite", self.elite, f"fewer than the population, which is {self.population}")


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One experiment, complete: the same spec and seed give the same run, bit for bit, on one machine."""

    network: NetworkSpec = NetworkSpec()
    data: DataSpec = DataSpec()
    training: TrainingSpec = TrainingSpec()

    def __post_init__(self) -> None:
        for name, kind in (("network", NetworkSpec), ("data", DataSpec), ("training", TrainingSpec)):
            if not isinstance(getattr(self, name), kind):
                raise SpecError(name, getattr(self, name), f"a gradviz.{kind.__name__}")

    def to_json(self) -> str:
        """The spec as indented JSON text, which `from_json` reads back to an equal spec."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Spec:
        """Read a spec.

        Missing fields take their defaults.

        Raises:
            SpecError: naming the field, the value and what is allowed; also for text that is not JSON.
        """
        try:
            raw = decode_json(text.encode() if isinstance(text, str) else text)
        except ValueError as error:
            raise SpecError("the text", text[:200], f"JSON ({error})") from None
        return cls.from_dict(raw)

    @classmethod
    def from_dict(cls, raw: object) -> Spec:
        """Build a spec from nested dictionaries, as decoded from JSON; raises `SpecError`."""
        sections = {"network": NetworkSpec, "data": DataSpec, "training": TrainingSpec}
        _check_keys("the spec", raw, sections)
        assert isinstance(raw, dict)
        built = {}
        for name, values in raw.items():
            struct = sections[name]
            _check_keys(name, values, {info.name: None for info in fields_of(struct)})
            built[name] = struct(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
        return cls(**built)

    def get(self, path: str) -> Any:
        """The value of the field with this dotted name; raises `SpecError` for an unknown one."""
        info = field_info(path)
        return getattr(getattr(self, info.section), info.name)

    def counts(self, path: str) -> bool:
        """Whether the field with this dotted name means anything beside the others, as a forget bias does for an LSTM alone."""
        return all(self.get(other) in values for other, values in field_info(path).needs)

    def choices(self, path: str) -> tuple[tuple[str, str], ...]:
        """(value, title) of what the field can be beside the others: a recurrent net has fewer activations."""
        choices = field_info(path).choices
        if path == "network.activation" and self.network.recurrent:
            return tuple(choice for choice in choices if choice[0] in RECURRENT_ACTIVATIONS)
        return choices

    def replace(self, path: str, value: object) -> Spec:
        """A copy with one field changed; ``path`` is a dotted name such as ``network.depth``.

        A recurrent net reads sequences and the others do not: where one of the two changes, the other goes with it.
        When the depth changes, lists with one entry per layer are cut or filled up with the common value. Parameters set by
        hand and weights that were loaded are forgotten with the network they belonged to.
        """
        info = field_info(path)
        value = without_numpy(value)
        check(info, value)
        section = getattr(self, info.section)
        changes: dict[str, object] = {info.name: value}
        if path == "network.depth" and isinstance(value, int):
            for name, common in (("widths", self.network.width), ("activations", self.network.activation)):
                values = getattr(self.network, name)
                if values is not None:
                    changes[name] = (values + (common,) * value)[:value]
        if info.restarts and info.section == "network":  # they belonged to the network that is replaced
            changes = {"set_values": (), "weights_from": "", **changes}
        if path == "network.kind" and value != "mlp" and self.network.activation not in RECURRENT_ACTIVATIONS:
            changes["activation"] = "tanh"
        if path in ("network.activation", "network.width"):
            changes[info.name + "s" if info.name == "activation" else "widths"] = None
        changed = msgspec.structs.replace(self, **{info.section: msgspec.structs.replace(section, **changes)})
        if path == "network.kind" and changed.network.recurrent != (self.data.name in SEQUENCES):
            return changed.replace("data.name", "recall" if changed.network.recurrent else "moons")
        if path == "data.name" and self.network.recurrent != (value in SEQUENCES):
            return changed.replace("network.kind", "rnn" if value in SEQUENCES else "mlp")
        return changed

    def level_at(self, step: int) -> int:
        """The hidden layer that this step trains by itself, in pre-training; 0 for a step that trains the whole network.

        Before the first step it is the level that this one will train.
        """
        before = max(0, step - 1)
        return before // self.training.steps_per_level + 1 if before < self.pretraining_steps else 0

    @property
    def level_ends(self) -> tuple[int, ...]:
        """The last step of each level in pre-training, first one first."""
        return tuple(range(self.training.steps_per_level, self.pretraining_steps + 1, self.training.steps_per_level))

    @property
    def pretraining_steps(self) -> int:
        """How many steps there are before fine-tuning."""
        return self.training.steps_per_level * self.network.depth if self.training.method == "pretraining" else 0

    def replace_from_text(self, path: str, text: str) -> Spec:
        """A copy with one field set from command-line text, such as ``20``, ``true``, ``relu`` or ``[8, 4]``."""
        info = field_info(path)
        value: object = text
        if info.kind != "choice" and info.kind != "text":
            try:
                value = msgspec.json.decode(text)
            except msgspec.DecodeError:
                value = text
        return self.replace(path, tuple(value) if isinstance(value, list) else value)


def all_fields() -> tuple[FieldInfo, ...]:
    """Every field of the spec: data, network, training."""
    return fields_of(DataSpec) + fields_of(NetworkSpec) + fields_of(TrainingSpec)


@functools.cache
def field_info(path: str) -> FieldInfo:
    """The field with this dotted name; raises `SpecError` when there is none."""
    for info in all_fields():
        if info.path == path:
            return info
    raise SpecError("the field name", path, ", ".join(info.path for info in all_fields()))


def _check_keys(where: str, raw: object, known: typing.Mapping[str, Any]) -> None:
    if not isinstance(raw, dict):
        raise SpecError(where, raw, "an object with " + ", ".join(known))
    for key in raw:
        if key not in known:
            raise SpecError(f"{where}: the field name", key, ", ".join(known))


__all__ = ["MAX_PARAMETERS", "DataSpec", "FieldInfo", "NetworkSpec", "Spec", "SpecError", "TrainingSpec", "all_fields", "field_info", "fields_of"]
