"""Single changes that are offered while both sides are still the same: the classical ones, as far as they differ from what there is."""

from __future__ import annotations

from typing import Any, NamedTuple

from gradviz.spec import Spec

MOST = 6


class Offer(NamedTuple):
    """A change of one field: what its button says, what it does, the field's path and the value."""

    text: str
    help: str
    path: str
    value: Any


_OFFERS = (
    Offer("ReLU", "Its slope is 1 wherever it is open", "network.activation", "relu"),
    Offer("Sigmoid", "Its slope is at most a quarter", "network.activation", "sigmoid"),
    Offer("Tanh", "Its slope is 1 at 0 and small far from it", "network.activation", "tanh"),
    Offer("Batch norm", "Each unit's sums are normalised over the mini-batch", "network.batch_norm", True),
    Offer("No batch norm", "The sums stay as they are", "network.batch_norm", False),
    Offer("Skips", "A skip over every second layer: one copy of the gradient passes unchanged", "network.skip_every", 2),
    Offer("No skips", "Every copy of the gradient goes through every layer", "network.skip_every", 0),
    Offer("He weights", "First weights made for ReLU", "network.initializer", "he_normal"),
    Offer("Xavier weights", "First weights that keep the size of what passes a tanh", "network.initializer", "xavier_normal"),
    Offer("Clipping", "No gradient longer than the threshold", "training.clip", "norm"),
    Offer("LSTM", "A cell whose state is carried on by a gate", "network.kind", "lstm"),
    Offer("Plain RNN", "A cell without gates", "network.kind", "rnn"),
    Offer("Adam", "A step of its own for every weight", "training.optimizer", "adam"),
)


def offers(spec: Spec) -> tuple[Offer, ...]:
    """The changes worth offering from ``spec``, one for each field."""
    found: dict[str, Offer] = {}
    for offer in _OFFERS:
        now = spec.get(offer.path)
        if offer.path in found or now == offer.value or not spec.counts(offer.path):
            continue
        if offer.path == "network.kind" and not spec.network.recurrent:
            continue  # it would bring other data with it: no single change
        choices = spec.choices(offer.path)
        if choices and offer.value not in dict(choices):
            continue
        found[offer.path] = offer
    return tuple(found.values())[:MOST]
