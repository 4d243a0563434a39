"""What is wrong with a run, if anything: a few rules on its record, each said in one sentence with its threshold.

A small gradient alone is no illness: a net that has learnt has one too. So most rules speak only while the loss has not left
guessing, which is where they differ from AUTOTRAINER (Zhang et al., ICSE 2021), DeepDiagnosis (Wardat et al., ICSE 2022) and
TheDeepChecker (Ben Braiek and Khomh, TOSEM 2022), which look at the gradient alone. Their thresholds stand where they serve: 1e-3 for
the first layer's gradient, of the whole one instead of the last layer's, whose gradient vanishes when the net answers right; 1e-4
for the update, of the first layer only. DeepDiagnosis calls dead what is shut for 70 % of the ReLU outputs; nets learn with that, so
here 90 % of the units must be shut for the whole mini-batch. The thresholds were tuned on half of the runs of
tests/benchmarks/diagnosis.py, which tells how they do on the other half.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradviz.evidence import Evidence, gather
from gradviz.oscillation import ABOVE, SWING
from gradviz.remedies import remedies
from gradviz.snapshot import Verdict
from gradviz.spec import Spec
from gradviz.verdict_words import names, number, percent, where

if TYPE_CHECKING:
    from gradviz.experiment import Experiment

LEFT_GUESSING = 0.9  # a median loss under this multiple of guessing: the net has learnt something
AT_GUESSING = 0.97
LEARNT = 0.5
BY_HEART = 1.05  # a test loss of this multiple of guessing, while the training loss has left it
FINISHED = 0.1
DIVERGED = 2.0
DEAD = 0.9
VANISHED = 1e-3  # AUTOTRAINER's threshold as well (Zhang et al. 2021)
STRETCHED = 1e3  # × ‖∂J/∂h‖ of the last time step, at the first one
STANDS_STILL = 1e-3
IDLE = 1e-4  # TheDeepChecker’s lower limit for the relative update (Ben Braiek and Khomh 2022)
SURER = 5e-7  # so much of it for each step the net has guessed: from 20 steps on 1e-5, from 200 on all of it
EXPLODED, FAR_EXPLODED = 20.0, 100.0
LOST = 100.0  # × guessing
SATURATED = 0.95
SETTLED, PATIENT, LONG = 50, 500, 1000  # steps after which the beginning is over, a run without success is suspect, and has failed


def diagnose(experiment: Experiment) -> list[Verdict]:
    """The verdicts on the run at its present step, the most serious one first; [] while it is too young to judge.

    A healthy run has the one verdict "healthy". Only what was recorded under the settings in force counts, except that a
    number which is not finite is told at once. Nothing of the experiment is changed.
    """
    if experiment.trainer.failure is not None:
        return [_failed(experiment), *_exploded(experiment)]
    if experiment.trainer.level:
        return [_pretrains(experiment)] if math.isfinite(experiment.trainer.loss) else []
    evidence = gather(experiment)
    if evidence is None:
        return []
    if experiment.spec.training.method == "evolution":
        return [_evolving(evidence)]
    found = [verdict for rule in RULES if (verdict := rule(evidence, experiment.spec)) is not None]
    return found or [_stuck(evidence, experiment.spec) or _healthy(evidence, experiment.spec)]


def _failed(experiment: Experiment) -> Verdict:
    failure = experiment.trainer.failure
    assert failure is not None
    text = f"A number stopped being finite in step {failure.step}, first in {failure.layer_name} ({failure.phase}). Later steps are lost."
    rule = "a number is not finite"
    return Verdict("diverged", (failure.layer,), rule, math.nan, math.inf, text, remedies("diverged", experiment.spec, None))


def _exploded(experiment: Experiment) -> Iterator[Verdict]:
    """What the record tells of the steps before a number stopped being finite."""
    norms = experiment.history.table().total_norms[:, 0]
    longest = float(norms[np.isfinite(norms)].max(initial=0.0))
    if longest > FAR_EXPLODED:
        rule = f"‖g‖ was {number(longest)} before a number stopped being finite; exploding above {number(FAR_EXPLODED)}"
        text = "The gradient had become so long that a single step threw the weights out of all bounds."
        yield Verdict("exploding", (), rule, longest, FAR_EXPLODED, text, remedies("exploding", experiment.spec, None))


def _pretrains(experiment: Experiment) -> Verdict:
    """Of a layer that is trained by itself: the rules are about the whole net and its task."""
    level, error = experiment.trainer.level, experiment.trainer.loss
    rule = f"L{level} is trained by itself: its error is {number(error)}, where 1 is as good as always answering the mean"
    learns = "learns to tell its input again" if error < LEFT_GUESSING else "has only begun to learn"
    text = f"Level {level} of {experiment.spec.network.depth} {learns}. It needs no labels and no gradient from the layers above."
    return Verdict("healthy", (), rule, error, LEFT_GUESSING, text)


def _diverged(e: Evidence, spec: Spec) -> Verdict | None:
    bound = DIVERGED * max(1.0, e.first)
    if not e.level > bound:
        return None
    rule = f"the loss is {number(e.level)} × guessing; diverged above {number(bound)}, twice where it began or guessing"
    text = "The loss has climbed far above where it began. The steps overshoot, and each makes the next one worse."
    return Verdict("diverged", (), rule, e.level, bound, text, remedies("diverged", spec, e))


def _dead_units(e: Evidence, spec: Spec) -> Verdict | None:
    worst = float(e.dead.max())
    all_dead = worst == 1.0 and e.shares[0] == 0.0 and e.level > 2 * FINISHED
    if not (all_dead or (worst > DEAD and e.level >= LEFT_GUESSING)):
        return None
    layers = where(e.dead > DEAD)
    rule = (
        f"{percent(worst)} of the units of {names(layers, spec)} have f′ = 0 for the whole mini-batch;"
        f" dead above {percent(DEAD)} unless the net learns"
    )
    text = "Where the slope is exactly 0, no gradient passes: these units do not learn, nor does what lies before them."
    return Verdict("dead_units", layers, rule, worst, DEAD, text, remedies("dead_units", spec, e))


def _vanishing(e: Evidence, spec: Spec) -> Verdict | None:
    share = float(e.shares[0])
    if spec.network.recurrent:
        return _vanishing_through_time(e, spec)
    # an optimiser that scales the gradient moves a layer however small its gradient is
    if not (share < VANISHED and (e.changes[0] < STANDS_STILL or share < 1e-12)):
        return None
    if not (e.level >= LEFT_GUESSING or (share < 1e-5 and e.level > LEARNT) or (share == 0.0 and e.level > 2 * FINISHED)):
        return None
    layers = where(np.logical_and.accumulate(e.shares[:-1] < VANISHED))
    rule = (
        f"‖∂J/∂W‖ of L1 is {number(share)} of the whole gradient's length; vanishing below {number(VANISHED)} while the net does not learn"
    )
    text = f"Hardly anything of the gradient reaches {names(layers, spec)}: these layers stay as they were drawn, and the loss stays high."
    if share == 0.0:
        text = f"Nothing of the gradient reaches {names(layers, spec)}: it is exactly 0 there, so these layers cannot learn."
    return Verdict("vanishing", layers, rule, share, VANISHED, text, remedies("vanishing", spec, e))


def _vanishing_through_time(e: Evidence, spec: Spec) -> Verdict | None:
    """The time steps share their weights, which move by what the last ones say: only the way back tells what is never learnt."""
    share = float(e.shares[0])
    if not (share < VANISHED and (e.level >= LEFT_GUESSING or e.tested >= BY_HEART)):
        return None
    steps = where(np.logical_and.accumulate(e.shares[:-1] < VANISHED))
    rule = (
        f"‖∂J/∂h‖ at t1 is {number(share)} of that at t{len(e.shares) - 1};"
        f" vanishing through time below {number(VANISHED)} while training or test loss is at guessing"
    )
    text = (
        f"Hardly anything of the gradient reaches {names(steps, spec)}:"
        " the loss does not tell what was read in these time steps, so the net does not learn to remember it."
    )
    if share == 0.0:
        text = f"Nothing of the gradient reaches {names(steps, spec)}: it is exactly 0 in these time steps, so they teach the net nothing."
    return Verdict("vanishing", steps, rule, share, VANISHED, text, remedies("vanishing", spec, e))


def _exploding_through_time(e: Evidence, spec: Spec) -> Verdict | None:
    share = float(e.shares[0])
    if not (spec.network.recurrent and share > STRETCHED and e.level >= LEFT_GUESSING):
        return None
    steps = where(np.logical_and.accumulate(e.shares[:-1] > STRETCHED))
    rule = (
        f"‖∂J/∂h‖ at t1 is {number(share)} × that at t{len(e.shares) - 1};"
        f" exploding through time above {number(STRETCHED)} while the loss is at guessing"
    )
    text = "Every time step back makes the gradient longer, so that the first ones drown all the others: the recurrent matrix stretches it."
    return Verdict("exploding", steps, rule, share, STRETCHED, text, remedies("exploding", spec, e))


def _exploding(e: Evidence, spec: Spec) -> Verdict | None:
    if _exploding_through_time(e, spec) is not None:
        return None  # said already
    lasting = e.norm > EXPLODED and e.level > ABOVE and e.steps >= SETTLED and not e.falling
    lost = e.level > LOST and e.steps >= 2 * SETTLED  # clipping shortens the gradient, but not what the weights make of the signal
    if not (lasting or lost or (e.norm > FAR_EXPLODED and e.level > EXPLODED and not e.falling)):
        return None
    rule = (
        f"‖g‖ is {number(e.norm)} and the loss {number(e.level)} × guessing;"
        f" exploding above {number(EXPLODED)} while the loss is above guessing"
    )
    text = "The gradient is so long that each step throws the weights far. Large weights do that, not the activation."
    return Verdict("exploding", (), rule, e.norm, EXPLODED, text, remedies("exploding", spec, e))


def _saturated(e: Evidence, spec: Spec) -> Verdict | None:
    worst = float(e.saturated.max())
    if not (worst > SATURATED and e.level >= LEFT_GUESSING and not e.falling and e.steps >= SETTLED):
        return None
    layers = where(e.saturated > SATURATED)
    rule = (
        f"{percent(worst)} of all f′ in {names(layers, spec)} are small; saturated above {percent(SATURATED)} while the loss does not fall"
    )
    text = "Nearly all pre-activations lie where the curve is flat, so the slope there leaves little of the gradient."
    return Verdict("saturated", layers, rule, worst, SATURATED, text, remedies("saturated", spec, e))


def _oscillating(e: Evidence, spec: Spec) -> Verdict | None:
    # where the weights hardly move, the loss differs because the mini-batches do
    swing = e.high - e.low
    if not (e.oscillates and swing > SWING and e.high > ABOVE and e.changes.max() > STANDS_STILL and e.fallen < e.level):
        return None
    rule = (
        f"the loss swings between {number(e.low)} and {number(e.high)} × guessing;"
        f" oscillating when it swings by {SWING} × guessing (or its own median), and above {ABOVE}"
    )
    text = "The loss jumps up and down instead of settling: the steps are too large for the valley they are in."
    return Verdict("oscillating", (), rule, swing, SWING, text, remedies("oscillating", spec, e))


def _by_heart(e: Evidence, spec: Spec) -> Verdict | None:
    """A sequence of noise is easier learnt by heart than looked through; no illness of the gradient, but worth a remedy."""
    if not (spec.network.recurrent and e.level < LEFT_GUESSING and e.tested >= BY_HEART):
        return None
    rule = (
        f"the test loss is {number(e.tested)} × guessing, the training loss {number(e.level)};"
        f" learnt by heart from {BY_HEART} with the latter below {LEFT_GUESSING}"
    )
    text = (
        "The gradients are sound, but the net learns its training sequences by heart, and not the task:"
        " on those it has not seen it does no better than guessing."
    )
    return Verdict("healthy", (), rule, e.tested, BY_HEART, text, remedies("by_heart", spec, e))


def _standing_still(e: Evidence, spec: Spec) -> Verdict | None:
    """TheDeepChecker asks for 1e-4 per step of every layer at every step; a net that learns often has less in some layer for a while.

    So it must be the first layer, the loss must be at guessing, and the smaller the steps are the sooner it is sure.
    """
    if not e.level >= LEFT_GUESSING or e.shares[0] < VANISHED or (e.falling and not _hopeless(e)):
        return None
    first, largest = float(e.changes[0]), float(e.changes.max())
    if AT_GUESSING <= e.level <= ABOVE and first < min(IDLE, e.steps * SURER):
        rule = f"‖ΔW‖ of L1 is {number(first)} of ‖W‖ per step; vanishing below {number(IDLE)} when the loss stays at guessing"
        text = "What reaches the first layer is too little to move it: it stays as it was drawn, and the net only guesses."
        return Verdict("vanishing", (1,), rule, first, IDLE, text, remedies("vanishing", spec, e))
    waited = e.steps >= PATIENT or (largest < 0.3 * STANDS_STILL and e.steps >= PATIENT / 2)
    if not (largest < STANDS_STILL and (waited or _hopeless(e))):
        return None
    rule = f"‖ΔW‖ is at most {number(largest)} of ‖W‖ per step; vanishing below {number(STANDS_STILL)} when the loss stays at guessing"
    text = "The gradient gets through, but the steps are so small that no weight goes anywhere: W_new ≅ W_old."
    return Verdict("vanishing", (), rule, largest, STANDS_STILL, text, remedies("vanishing", spec, e))


RULES: Sequence[Callable[[Evidence, Spec], Verdict | None]] = (
    _diverged,
    _dead_units,
    _exploding_through_time,
    _exploding,
    _vanishing,
    _saturated,
    _oscillating,
    _standing_still,
    _by_heart,
)


def _stuck(e: Evidence, spec: Spec) -> Verdict | None:
    """For a run that no other rule speaks of."""
    if e.linear or not _hopeless(e):
        return None
    rule = f"the loss is {number(e.level)} × guessing after {e.steps} steps; a net that learns has it below {LEFT_GUESSING} by then"
    if e.level > ABOVE:
        text = "The first weights make the outputs far too large, and training has not brought them down: the loss is still above guessing."
        return Verdict("exploding", (), rule, e.level, LEFT_GUESSING, text, remedies("exploding", spec, e))
    if spec.network.recurrent:
        return None  # to remember over many time steps takes long to learn; the plateau alone is no illness
    text = "Every layer gets a gradient, but what one mini-batch changes the next one takes back: no direction is left in it."
    return Verdict("vanishing", (), rule, e.level, LEFT_GUESSING, text, remedies("vanishing", spec, e))


def _hopeless(e: Evidence) -> bool:
    """Whether a run is so old that its loss would have left guessing, and at this pace will not in as many steps again."""
    if e.steps >= LONG and e.level >= LEFT_GUESSING and (e.level > ABOVE or not e.falling):
        return True
    return e.level >= AT_GUESSING and ((e.steps >= PATIENT and not e.falling) or (e.steps >= LONG and e.steps_to_learn > e.steps))


def _healthy(e: Evidence, spec: Spec) -> Verdict:
    reaches = f"L1 gets {number(float(e.shares[0]))} of the gradient's length."
    if spec.network.recurrent:
        reaches = f"At t1 ‖∂J/∂h‖ is {number(float(e.shares[0]))} × that at t{len(e.shares) - 1}."
    if e.level < FINISHED:
        text = "Finished: the net has learnt its data, so its gradients are small now. That is not vanishing."
    elif e.level < LEFT_GUESSING:
        text = f"The net learns. {reaches}"
    elif e.linear and not e.falling:
        text = f"The gradient gets through: {reaches} But a net of identities is one linear map, and that cannot do better here."
    elif e.falling:
        text = f"The loss falls. {reaches}"
    else:
        text = f"{reaches} The loss has not left guessing yet; nothing is wrong so far."
    rule = f"no rule of an illness holds; the loss is {number(e.level)} × guessing, and below {LEFT_GUESSING} a net has learnt something"
    return Verdict("healthy", (), rule, e.level, LEFT_GUESSING, text)


def _evolving(e: Evidence) -> Verdict:
    """Evolution needs no gradient: what counts is the loss of the best individual."""
    if e.level < FINISHED:
        text = "Finished: the best individual has learnt the data. No gradient was needed for that."
    elif e.level < LEFT_GUESSING:
        text = "The population learns: what selection leaves over gets better. It needs no gradient."
    elif e.falling:
        text = "The loss of the best individual falls."
    else:
        text = "The best individual has not left guessing yet; a larger population or larger mutations search more widely."
    rule = f"the best individual’s loss is {number(e.level)} × guessing; below {LEFT_GUESSING} it has learnt something"
    return Verdict("healthy", (), rule, e.level, LEFT_GUESSING, text)
