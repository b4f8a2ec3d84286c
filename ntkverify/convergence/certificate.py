"""Certificates of convergence: the hypotheses of docs/proofs/convergence.md met by floats, in float64 balls.

`attempt` takes a network at its start and finds the radius and the step size at which Theorem 5 (with the
roundings of Proposition 6), or Theorem 10 with a witness, applies, or says which hypothesis fails and by how much.  Every number of an
`Attempt` is a bound in the safe direction; `certificate` writes them down for the checker.
"""

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic import balls
from ntkverify.arithmetic.definite import length, spectrum
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.checking.certificate_file import BINARY, LATER, SCHEMA, WITNESS, digest, packed
from ntkverify.convergence import bounded
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import write
from ntkverify.ground.rounding import above, below
from ntkverify.networks.growth import Constants, constants, hypotheses
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import INDEPENDENT, TRAINED, Params, Problem
from ntkverify.networks.quantities import outputs, residual

KEEP, THETA, ROUNDING = 0.5, 0.1, 1e-4
"""Share of λ that the ball keeps; θ, the share of a step that its remainder may eat; ω/s."""


LEEWAY, MORE_LEEWAY = 256.0, 4096.0
"""So many times its own bound on the drift of a launch is allowed to whoever checks it by functions that are known less well; the second
where neurons are functions, whose bounds here are relative."""


@dataclass(frozen=True)
class Launch:
    """Where the first K steps led (Theorem 7): Ŵ(K), and d_K, a bound on how far exact gradient descent is from it."""

    steps: int
    at: Params
    drift: float


@dataclass(frozen=True)
class Witness:
    """A network that fits the data nearly (Theorem 10), with bounds on its distance from where the steps begin and on what its
    outputs are off by."""

    at: Params
    away: float
    off: float


@dataclass(frozen=True)
class Attempt:
    """A network at its start, the radius and step size chosen, and what could be proved of them."""

    problem: Problem
    start: Params
    """W(0), or a trained network where the problem's `init` says so."""
    keep: float
    s: float
    """Radius of the ball over all neurons, in units of W."""
    eta: float
    omega: float
    bounds: Mapping[str, float]
    """λ, ‖H(0)‖, ‖Y‖ and the constants at W(0); see docs/certificates.md."""
    conclusions: Mapping[str, float]
    """p(s), θ, (1 − θ)∫p, P and the contraction; empty where λ = 0."""
    need: float = math.inf
    """What (1 − θ)∫p has to reach; above it in rounding."""
    launch: Launch | None = None
    """The later start; `s`, `bounds` and `conclusions` then speak of the ball around it."""
    witness: Witness | None = None
    """Of Theorem 10; `s`, `bounds` and `conclusions` then speak of the ball around it, but for `size`, which is ‖e‖ at the start."""

    @property
    def base(self) -> Params:
        """Where the steps begin of which a rate is certified: W(0), the trained network, or the later start."""
        return self.start if self.launch is None else self.launch.at

    @property
    def centre(self) -> Params:
        """The centre of the certified ball: the witness, or `base`."""
        return self.base if self.witness is None else self.witness.at

    @property
    def margins(self) -> dict[str, tuple[float, float]]:
        """Hypothesis → (what is there, what is needed); it holds if the first is at least the second."""
        if not self.conclusions and self.s > 0:
            begun = self.omega + (0.0 if self.witness is None else self.witness.away)
            return {"0: the steps begin inside the ball, s > D + ω": (self.s, begun)}
        if not self.conclusions:
            return {"λ_min(H(0)) > 0": (self.bounds["lambda"], 0.0)}
        b, c, m = self.bounds, self.conclusions, self.problem.m
        name = "‖e‖" if self.witness is None else "min(‖e‖, (½CD² + r)/(1−θ))"
        return {
            "1: the kernel keeps its share, p(s) ≥ √(keep · mλ)": (c["kept"], math.sqrt(self.keep * m * b["lambda"])),
            "2: the step is small enough, 1 > θ": (1.0, c["theta"]),
            f"3: the path fits into the ball, (1−θ)∫p ≥ {name} + Pω": (c["spent"], self.need),
        }

    @property
    def closeness(self) -> float:
        """How near the hypotheses come to hold: the least of what is there over what is needed, at least 1 where they do."""
        if not self.conclusions and self.s <= 0:
            return -math.inf
        return min((have / need if need > 0 else math.copysign(math.inf, have)) for have, need in self.margins.values())

    @property
    def kind(self) -> str:
        """At what it speaks: initial, followed or trained; widths of the three are not to be compared."""
        return "followed" if self.launch else "trained" if self.problem.init == TRAINED else "initial"

    @property
    def largest(self) -> float:
        """The largest ‖e‖ at the centre of the ball that would do there, all else being as it is; 0 where that is a witness."""
        if not self.conclusions or self.witness is not None:
            return 0.0
        return max(self.conclusions["spent"] - self.conclusions["reach"] * self.omega, 0.0)

    @property
    def distance(self) -> float:
        """How far exact gradient descent goes at most from the centre of the ball, up to rounding: ‖e‖/((1 − θ) p(s)), and s around
        a witness."""
        c = self.conclusions
        if not c or c["kept"] <= 0:
            return math.inf
        return self.s if self.witness else self.bounds["size"] / ((1 - c["theta"]) * c["kept"]) * (1 + 1e-12)

    @property
    def proved(self) -> bool:
        """Whether every hypothesis holds, with a hair's breadth for the roundings of these products."""
        return bool(self.conclusions) and all(have >= need * (1 + 1e-12) for have, need in self.margins.values())

    @property
    def sentence(self) -> str:
        """What is proved, rounded to the safe side, or which hypothesis fails and by how much."""
        if self.proved:
            size, rate = above(self.bounds["size"]), below(self.conclusions["contraction"])
            start = "this trained network" if self.kind == "trained" else "these floats"
            what = f"Proved: from {start} gradient descent at η = {self.eta:.6g} converges"
            if self.kind == "trained" and self.witness is None:
                return (
                    f"{what} to zero loss, ‖e(τ)‖ ≤ (1 − {rate})^τ · {size}, within {above(self.distance)} over all neurons; so a network that "
                    f"fits the data exactly lies that near. ‖e‖ up to {below(self.largest)} would do."
                )
            where = "there" if self.launch else "it" if self.kind == "trained" else "W(0)"
            of = f"· {size}" if self.kind == "trained" else "‖Y‖"
            if self.witness is not None:
                off, away = above(self.witness.off, 3), above(self.witness.away)
                where = f"a network that lies {away} from {where} and fits the data up to {off}"
            if self.launch is None:
                return f"{what}, ‖e(τ)‖ ≤ (1 − {rate})^τ {of}, within {above(self.s)} of {where}, over all neurons."
            return (
                f"{what}: after {self.launch.steps} steps, followed with every rounding enclosed, ‖e‖ ≤ {size}, and from there it shrinks by "
                f"1 − {rate} a step, within {above(self.s)} of {where}, over all neurons."
            )
        what, (have, need) = min(self.margins.items(), key=lambda item: item[1][0] / item[1][1] if item[1][1] else -1)
        short = f", a factor {need / have:.3g} short" if have > 0 and need > 0 else ""
        return f"Hypothesis {what} fails: {have:.6g} against {need:.6g}{short}."


def attempt(
    problem: Problem,
    start: Params,
    keep: float = KEEP,
    theta: float = THETA,
    launch: Launch | None = None,
    eta: float | None = None,
    witness: Params | None = None,
) -> Attempt:
    """Choose s, the largest radius on which `keep` of λ is proved, and η (where it is not given), the largest step with
    this θ; around the later start where there is one, around the witness where there is one."""
    base = start if launch is None else launch.at
    if witness is not None and witness.W.shape != base.W.shape:
        raise BadInput(f"a witness with W of shape {witness.W.shape}", f"shape {base.W.shape}, that of the start")
    centre = base if witness is None else Params(witness.W, base.a, base.live)
    smallest, largest, off, k = _measured(problem, start, centre)
    size = off
    if launch is None and problem.init != TRAINED:
        size = float(balls.norm(balls.exact(problem.y)))  # e(W(0)) = −Y exactly
    elif witness is not None:
        size = _error(problem, start, base)
    away = _distance(base, centre)
    bounds = {"lambda": smallest, "norm": largest, "size": size}
    bounds |= {name: float(getattr(k, name)) for name in ("longest", "mean", "weight", "sharpness", "rate")}
    beside = None if witness is None else Witness(centre, away, off)
    made = functools.partial(Attempt, problem, start, keep, bounds=bounds, launch=launch, witness=beside)
    if not all(map(math.isfinite, (*bounds.values(), away, off))) or smallest <= 0:
        return made(s=0.0, eta=0.0, omega=0.0, conclusions={})
    s = _radius(k, smallest, largest, size, keep)
    leeway = LEEWAY if problem.activation.neuron is None else MORE_LEEWAY
    omega = ROUNDING * s + (0.0 if launch is None else leeway * launch.drift)
    if not (away + omega) * (1 + 1e-12) < s:
        return made(s=s, eta=0.0, omega=omega, conclusions={})
    lies = (away, size if witness is None else off)
    if eta is None:
        eta = (1 - 1e-9) * theta / float(_computed(k, smallest, largest, size, s, 1.0, omega, *lies).theta)
    numbers = jax.tree.map(
        lambda number: np.asarray(number, np.float64), (k, smallest, largest, size, s, eta, omega, *lies)
    )
    found = in_balls(hypotheses)(*numbers)
    kept, reach, worst = float(found.kept.lower), float(found.reach.upper), float(found.theta.upper)
    left = _exact(float(balls.subtract(_exact(1.0), _exact(worst)).lower))
    rate = balls.multiply(balls.multiply(left, _exact(eta)), balls.multiply(_exact(kept), _exact(kept)))
    conclusions = {
        "kept": kept, "theta": worst, "spent": float(balls.multiply(left, found.spent).lower), "reach": reach,
        "contraction": float(rate.lower),
    }  # fmt: skip
    return made(s=s, eta=eta, omega=omega, conclusions=conclusions, need=float(found.need.upper))


def _distance(one: Params, other: Params) -> float:
    """At least ‖W − W'‖; 0 of one and the same.  `SHARE` covers the roundings of the differences, in float64 whatever the weights are."""
    if one.W is other.W:
        return 0.0
    return float(length(np.asarray(one.W, np.float64) - np.asarray(other.W, np.float64))) * bounded.SHARE


def _measured(problem: Problem, start: Params, base: Params) -> tuple[float, float, float, Constants]:
    """At `base`: λ_min(H) from below, ‖H‖, ‖e‖ and the constants from above."""
    if not bounded.covers(problem.network):
        H, e, k = in_balls(_at)(problem, start, base)
        smallest, largest = balls.smallest_eigenvalue(H)[0], balls.largest_eigenvalue(H)
        return smallest, largest, float(balls.norm(e)), limits(k, problem)
    found = bounded.seen(problem, base)
    low, high = spectrum(bounded.kernel(problem, base, found))
    return low, high, _far(problem, start, found), bounded.constants(problem, found)


def _error(problem: Problem, start: Params, base: Params) -> float:
    """At least ‖e‖ at `base`."""
    if bounded.covers(problem.network):
        return _far(problem, start, bounded.seen(problem, base))
    return float(balls.norm(in_balls(error)(problem, start, base)))


def _far(problem: Problem, start: Params, found: bounded.Seen) -> float:
    less = bounded.seen(problem, start) if problem.init == INDEPENDENT else None
    return bounded.error(problem, found, less)[1]


@jax.jit
def _at(problem: Problem, start: Params, base: Params):
    return closed_form(problem, base), error(problem, start, base), constants(problem, base)


def shift(problem: Problem, start: Params):
    """F_0: what an independent start subtracts from the output; zeros at the others."""
    return outputs(problem, start) if problem.init == INDEPENDENT else jnp.zeros_like(problem.y)


def error(problem: Problem, start: Params, net: Params):
    """e = F(W) − F_0 − Y."""
    return residual(problem, net) - shift(problem, start)


def limits(k: Constants, problem: Problem) -> Constants:
    """Upper bounds on enclosed constants, as numbers."""
    k = jax.tree.map(lambda ball: np.asarray(ball.upper), k, is_leaf=lambda leaf: isinstance(leaf, balls.Ball))
    m, d_out = (np.asarray(size, np.float64) for size in (problem.m, problem.d_out))
    return dataclasses.replace(k, m=m, d_out=d_out, rate=np.zeros(()) if k.bounded else k.rate)


def _exact(number: float) -> balls.Ball:
    return balls.exact(np.asarray(number))


_computed = jax.jit(hypotheses)


def _radius(k: Constants, smallest: float, largest: float, size: float, keep: float) -> float:
    """The largest s with p(s) ≥ √keep √(mλ), a hair below; p decreases."""
    return float(_halved(k, smallest, largest, size, keep)) * (1 - 1e-9)


@jax.jit
def _halved(k: Constants, smallest, largest, size, keep):
    def halve(_, ends):
        low, high = ends
        s = (low + high) / 2
        found = hypotheses(k, smallest, largest, size, s, none, none, none, size)
        enough = found.kept >= jnp.sqrt(keep) * found.root
        return jnp.where(enough, s, low), jnp.where(enough, high, s)

    none = jnp.zeros(())
    return jax.lax.fori_loop(0, 60, halve, (none, jnp.full((), 64.0)))[0]


def room(
    k: Constants, smallest: float, largest: float, size: float, keep: float, theta: float,
    away: float = 0.0, off: float | None = None,
) -> float:  # fmt: skip
    """Without proof: (1 − θ)∫p over what it has to reach, at the best radius; above 1 the third hypothesis holds.  `away` and `off` are
    those of a witness, at which the others are then taken."""
    if not smallest > 0:
        return 0.0
    s = _radius(k, smallest, largest, size, keep)
    if not away + ROUNDING * s < s:
        return 0.0
    lies = (away, size if off is None else off)
    # η = 0 leaves θ out of what is left of the error, which is then (1 − θ) times as large.
    found = _computed(k, smallest, largest, size, s, 0.0, ROUNDING * s, *lies)
    lost = float(found.reach) * ROUNDING * s
    return (1 - theta) * float(found.spent) / (min((float(found.need) - lost) / (1 - theta), size) + lost)


class Certificate(dict[str, Any]):
    """The content of certificate.json, and the arrays of certificate.bin."""

    def __init__(self, content: Mapping[str, Any], floats: Mapping[str, np.ndarray]):
        super().__init__(content)
        self.floats = dict(floats)

    def save(self, path: Path) -> None:
        """Write both files; `path` is that of certificate.json."""
        write(path.with_suffix(BINARY), packed(self.floats)[1])
        write(path, json.dumps(self) + "\n")


def certificate(found: Attempt, origin: Mapping) -> Certificate:
    """What is proved, for the checker; `origin` is plain JSON that nothing rests on."""
    if not found.proved:
        raise BadInput("an attempt that proves nothing", "one whose hypotheses hold", found.sentence)
    problem, start = found.problem, found.start
    floats = {"X": problem.X, "y": problem.y, "W": start.W, "a": start.a}
    if found.launch is not None:
        floats[LATER] = found.launch.at.W
    if found.witness is not None:
        floats[WITNESS] = found.witness.at.W
    floats = {name: np.asarray(value, np.float64) for name, value in floats.items()}
    content = {
        "schema": SCHEMA, "kind": "convergence", "network": problem.network.name, "start": problem.init,
        "numbers": {"s": found.s, "eta": found.eta, "omega": found.omega, "keep": found.keep}, "arrays": packed(floats)[0],
        "bounds": dict(found.bounds), "conclusions": dict(found.conclusions), "origin": dict(origin),
    }  # fmt: skip
    if problem.network.shape:
        content["shape"] = list(problem.network.shape)
    if found.launch is not None:
        content["launch"] = {"steps": found.launch.steps}
    if found.witness is not None:
        content["witness"] = {"away": found.witness.away, "off": found.witness.off}
    return Certificate(content | {"digest": digest(content)}, floats)
