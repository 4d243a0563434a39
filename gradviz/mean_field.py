"""The gradient that each layer should have at initialisation, by mean-field theory: from the settings and the data, no weight drawn.

Forward the covariance of a unit's pre-activations over the examples goes from layer to layer, z = Wᵀh: K_l = fan-in · var(w) · E[h hᵀ]
(Poole et al. 2016), starting with the inputs themselves; at the outputs the loss turns it into E[∂L/∂z ∂L/∂zᵀ]; and backward it is
E[δ_l δ_lᵀ] = E[f′f′ᵀ] ∘ fan-out · var(w) · E[δ_{l+1} δ_{l+1}ᵀ] (Schoenholz et al. 2017; He et al. 2015). Both are matrices over the
examples of the first mini-batch, because ∂L/∂W is a sum over examples, in which what they have in common adds up and the rest cancels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.arrays import Floats
from gradviz.data import Data
from gradviz.gaussian_means import Means, means, tails
from gradviz.initializers import INITIALIZERS
from gradviz.losses import loss_named
from gradviz.network import skip_sources
from gradviz.normalised_means import Normalised, root
from gradviz.objective import output_count, resolve_loss
from gradviz.snapshot import Theory
from gradviz.spec import Spec
from gradviz.training import Batches

MOST_EXAMPLES = 32  # of a larger mini-batch so many stand for the others
FEWEST_DIMENSIONS = 2  # of Gaussian sums up to which the mean of 1/σ² is infinite
SAMPLES = 128  # draws for the means that have no formula: at the loss, and behind batch norm


def mean_field(spec: Spec, data: Data) -> Theory:
    """The theory of a run's first step; see `Theory`.

    Raises:
        SpecError, TargetError: when the loss does not fit the data.
    """
    reason = _why_not(spec)
    if not reason:
        with np.errstate(all="ignore"):
            found = _Wave(spec, data).theory()
        if found is not None and np.isfinite(msgspec.structs.astuple(found)[:4]).all():
            return msgspec.structs.replace(found, caution=_caution(spec, data))
        reason = "its numbers leave the range of floating point"
    nothing = _frozen(np.empty(0))
    return Theory(nothing, nothing, nothing, nothing, reason)


def _why_not(spec: Spec) -> str:
    network = spec.network
    if network.recurrent:
        return "the time steps share their weights"
    if spec.training.method == "evolution":
        return "the genetic algorithm follows no gradient"
    if spec.training.method == "pretraining":
        return "each level learns by itself first"
    if INITIALIZERS[network.initializer].variance is None or network.gain == 0.0:
        return "the first weights are not drawn at random"
    if network.weights_from:
        return "the first weights were loaded from a file"
    if network.set_values:
        return "some parameters are set by hand"
    return ""


def _caution(spec: Spec, data: Data) -> str:
    """Where `gradviz.normalised_means` has no mean to go by: sums of so few dimensions that E[1/σ²] does not exist, layer after layer."""
    network = spec.network
    dimensions = min(data.features, min(spec.training.batch_size, len(data.train)) - 1)  # of a layer's sums less their mean
    linear = len(network.layer_activations) > 1 and network.layer_activations[:2] == ("identity", "identity")
    if not (network.batch_norm and linear and dimensions <= FEWEST_DIMENSIONS):
        return ""
    return f"linear layers with batch norm, {dimensions} input{'' if dimensions == 1 else 's'}: 1/σ² has no mean"


@dataclass
class _Layer:
    """What the way forward leaves for the way back."""

    inputs: Floats  # (batch, batch) E[h hᵀ] of what comes in
    means: Means
    correlated: float  # mean over pairs of examples of the squared correlation of z
    heavy: float  # E f′⁴ / (E f′²)²
    normalised: Normalised | None


class _Wave:
    """One pass forward and back, of covariances over the examples in the place of numbers.

    A layer of n units scatters: the squared length of what it passes on has the relative variance (E f′⁴ / (E f′²)² · 3 − 1) / n, 5/n for
    ReLU (Hanin and Nica 2020), and so the typical gradient is smaller than the root of the mean square. `scatter` adds these
    variances up, in ln of the squared length.
    """

    def __init__(self, spec: Spec, data: Data) -> None:
        network = self._network = spec.network
        self._loss = resolve_loss(spec.training.loss, data)
        outputs = output_count(self._loss, data)
        batches = Batches(len(data.train), spec.training.batch_size, spec.training.seed)
        chosen = data.train[batches.next()][:MOST_EXAMPLES]
        self._batch, self._whole = len(chosen), batches.size
        self._widths = (*network.layer_widths, outputs)
        self._fans = (data.features, *network.layer_widths)
        rule = INITIALIZERS[network.initializer].variance
        assert rule is not None
        self._variances = [network.gain**2 * rule(i, o) for i, o in zip(self._fans, self._widths, strict=True)]
        # an orthogonal matrix keeps a length exactly where a random one scatters it
        self._kept = 2.0 if network.initializer == "orthogonal" else 0.0
        self._skips = skip_sources(network)
        self._rng = np.random.default_rng(0)
        inputs = data.inputs[chosen]
        self._inputs: Floats = inputs @ inputs.T / data.features
        self._targets = loss_named(self._loss).encode(data.targets[chosen], outputs)
        self._layers: list[_Layer] = []
        self._errors: Floats | None = None  # (outputs, batch, draws) ∂L/∂z of the output layer, where there is no batch norm
        self._forward_scatter = [0.0]  # of the inputs and of each layer's outputs

    def theory(self) -> Theory | None:
        """None when the numbers leave their range on the way forward."""
        last = self._forward()
        return None if last is None else self._backward(last)

    def _forward(self) -> Floats | None:
        """E[h hᵀ] of what the output layer gets."""
        network = self._network
        reached: Floats = self._inputs
        sent: dict[int, tuple[Floats, Floats]] = {}  # layer -> E[h hᵀ] and E[h]
        for layer, (name, units) in enumerate(zip(network.layer_activations, network.layer_widths, strict=True), 1):
            covariance = self._fans[layer - 1] * self._variances[layer - 1] * reached
            if not np.isfinite(covariance).all():
                return None
            parameter = ACTIVATIONS[name].parameter
            normalised = None
            if network.batch_norm:
                normalised = Normalised(covariance, name, self._draws(SAMPLES if layer > 1 else 4 * SAMPLES), units if layer == 1 else 0)
            found = normalised.means if normalised is not None else means(name, parameter, covariance)
            seen = normalised.covariance if normalised is not None else covariance
            scale = seen.diagonal()
            squares = seen * seen / np.maximum(np.outer(scale, scale), 1e-300)
            forward, heavy, passed = tails(name, parameter, float(scale.mean()))
            self._layers.append(_Layer(reached, found, float(squares.mean()), heavy, normalised))
            inherited = 0.0 if network.batch_norm else min(passed, 1.0) ** 2 * self._forward_scatter[-1]
            noise = inherited + math.log1p(max(forward - 1.0 - self._kept * passed**2, 0.0) / units)
            value, mean = found.values, found.mean
            source = self._skips.get(layer)
            if source is not None:
                carried, carried_mean = sent[source]
                crossed = np.outer(carried_mean, mean)
                share = _share(value, carried)
                # y = h + F(h), and F(h) is not correlated with h beyond their means
                value, mean = value + carried + crossed + crossed.T, mean + carried_mean
                noise = _joined(noise, self._forward_scatter[source], share, units)
            sent[layer] = value, mean
            self._forward_scatter.append(noise)
            reached = value
        return reached if np.isfinite(reached).all() else None

    def _backward(self, last: Floats) -> Theory | None:
        covariance = self._fans[-1] * self._variances[-1] * last
        if not np.isfinite(covariance).all():
            return None
        errors = self._at_loss(covariance)
        largest = float(np.abs(errors).max()) or 1.0
        if not math.isfinite(largest):
            return None
        errors = errors / largest
        kernel = np.einsum("kas,kbs->ab", errors, errors) / (errors.shape[0] * errors.shape[2])  # E[∂L/∂z ∂L/∂zᵀ] of an output unit
        # without batch norm each layer multiplies that entry by entry, so that what comes back can be told for each draw of the outputs
        ones = np.ones_like(kernel)
        sums, rest = (kernel, ones) if self._network.batch_norm else (ones, kernel)
        if not self._network.batch_norm:
            self._errors = errors
        self._kernel = rest
        # what comes back is kept near 1, or a deep net would leave the range of the numbers
        depth, scatter, log_scale = len(self._widths), 0.0, 2.0 * math.log(largest)
        found = np.empty((4, depth))  # mean ln of the squares of both RMS, and their variances
        returned: dict[int, tuple[Floats, float, float]] = {}  # layer -> what has come back to its outputs, its ln scale, its scatter
        ends = {source: end for end, source in self._skips.items()}
        inputs, delta = last, sums
        for layer in range(depth, 0, -1):
            if layer < depth:
                own, units = self._layers[layer - 1], self._widths[layer - 1]
                upstream = self._widths[layer] * self._variances[layer] * sums
                if layer in ends:
                    carried, its_scale, its_scatter = returned[ends[layer]]
                    carried = carried * math.exp(min(its_scale - log_scale, 700.0))
                    share = _share(upstream * rest, carried * rest)
                    upstream, scatter = upstream + carried, _joined(scatter, its_scatter, share, units)
                size = float(np.trace(upstream))
                if size > 0.0:
                    upstream, log_scale = upstream / size, log_scale + math.log(size)
                returned[layer] = upstream, log_scale, scatter
                delta = sums = upstream * own.means.slopes
                if own.normalised is not None:
                    sums = own.normalised.backward(upstream)
                scatter += math.log1p(self._uneven(upstream * rest, own) / units)
                inputs = own.inputs
            alone = np.eye(self._batch)
            found[0::2, layer - 1] = self._length(alone, delta, layer)
            found[1::2, layer - 1] = self._length(inputs, sums, layer)
            found[0, layer - 1] += log_scale - scatter / 2.0
            found[1, layer - 1] += log_scale - (scatter + self._forward_scatter[layer - 1]) / 2.0
            found[2:, layer - 1] += scatter, scatter + self._forward_scatter[layer - 1]
        (deltas, gradients), (its, their) = np.exp(found[:2] / 2.0), np.sqrt(found[2:]) / math.log(100.0)
        return Theory(_frozen(deltas), _frozen(gradients), _frozen(its), _frozen(their))

    def _uneven(self, kernel: Floats, layer: _Layer) -> float:
        """The variance of a unit's share in the squared length of ∂L/∂z, relative to its mean, for E[∂L/∂h ∂L/∂hᵀ] = ``kernel``."""
        trace = float(np.trace(kernel))
        # 1 where it is the same for all examples, up to a factor
        together = float(np.square(kernel / trace).sum()) if trace > 0 else 0.0
        return max((1.0 + (layer.heavy - 1.0) * layer.correlated) * (1.0 + 2.0 * together) - 1.0 - self._kept * together, 0.0)

    def _length(self, pairs: Floats, carried: Floats, layer: int) -> tuple[float, float]:
        """Mean and variance of ln Σ_ab pairs_ab E[δ_a δ_b] over the draws of the outputs: of (∂L/∂w)² where ``pairs`` is E[h hᵀ]."""
        few, many = self._batch, self._whole
        lengths = np.array([float(np.vdot(pairs, carried))])
        kernel = carried
        if self._errors is not None:
            matrix = pairs * carried
            lengths = np.maximum((self._errors * np.tensordot(matrix, self._errors, (1, 1)).transpose(1, 0, 2)).sum(axis=(0, 1)), 0.0)
            lengths /= len(self._errors)
            kernel = carried * self._kernel
        mean = float(lengths.mean())
        shown = mean
        if few < many:  # some stand for more: alone and in pairs, each by their number
            if self._errors is None and layer < len(self._widths) and few > 1:
                # behind batch norm the δ of an example's partners add up to minus its own, and so are smaller the more of them there are
                kernel = kernel + float(kernel.diagonal().mean()) * (1.0 / (few - 1) - 1.0 / (many - 1)) * (1.0 - np.eye(few))
            single = float(np.vdot(pairs.diagonal(), kernel.diagonal()))
            several = (float(np.vdot(pairs, kernel)) - single) * few * (many - 1) / (many * max(few - 1, 1))
            shown = single * few / many + several if single * few / many + several > 0 else mean
        logs = np.log(lengths)
        return float(logs.mean() - np.log(mean) + np.log(shown)) if mean > 0 else -math.inf, float(logs.var()) if mean > 0 else 0.0

    def _at_loss(self, covariance: Floats) -> Floats:
        """(outputs, batch, draws) ∂L/∂z of outputs drawn by theory."""
        outputs, batch = self._widths[-1], self._batch
        draws = -(-SAMPLES // outputs)
        z = (root(covariance) @ self._draws(outputs * draws)).reshape(batch, outputs, draws)
        # the outputs of a net of finite width are larger in one and smaller in another
        scatter = self._forward_scatter[-1]
        z *= np.exp((math.sqrt(scatter) * self._rng.standard_normal(draws) - scatter / 2.0) / 2.0)
        flat = np.ascontiguousarray(z.transpose(1, 0, 2)).reshape(outputs, batch * draws)
        delta = np.empty_like(flat)
        loss_named(self._loss).evaluate(flat, np.repeat(self._targets, draws, axis=-1), delta)
        return (delta * draws).reshape(outputs, batch, draws)

    def _draws(self, count: int) -> Floats:
        """(batch, count) numbers from N(0, 1), in pairs of opposite sign, whose covariance over the draws is exactly 1."""
        half: Floats = self._rng.standard_normal((self._batch, -(-count // 2)))
        half = np.linalg.solve(np.linalg.cholesky(half @ half.T / half.shape[1]), half)
        return np.concatenate((half, -half), axis=1)[:, :count]


def _share(part: Floats, other: Floats) -> float:
    """How much of the sum's squared length comes through the first."""
    own, more = float(np.trace(part)), float(np.trace(other))
    return own / (own + more) if own + more > 0 else 0.0


def _joined(branch: float, skip: float, share: float, units: int) -> float:
    """The scatter behind a residual sum: the branch adds by its share, and so does what the two have in common by chance."""
    return skip + share**2 * max(branch - skip, 0.0) + 4.0 * share * (1.0 - share) / units


def _frozen(values: Floats) -> Floats:
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    return values
