"""Theorem 7 in floats: gradient descent is followed for as long as it takes, each step costing little more than a
plain one.

The points Ŵ(k) are floats of a compiled step; what a step is rounded by is bounded from norms, most of them known beforehand, not
from balls of every number.  With ê, D̂, M̂ = D̂ ∘ (êa), T̂ = XᵀM̂ as computed,

- ‖ê − e‖ ≤ ε, from bounds on φ, on ⟨w,x⟩ and on sums of m numbers (`bounded`);
- an entry of ea is at most √d‖e_i‖, and a computed one errs by at most γ_d of that: ‖M̂‖ ≤ max|D̂|√(dm)‖e‖ and ‖M̂ − M‖ ≤ δ√(dm)‖e‖ + (max|D̂| + δ)√(dm)(ε + γ_d‖e‖) +
  u‖M̂‖, δ the largest error of a slope;
- ‖T̂ − Jᵀe‖ ≤ ‖X‖_F‖M̂ − M‖ + γ_n‖X‖_F‖M̂‖;
- r_k ≤ η(‖T̂ − Jᵀe‖ + 2u‖T̂‖) + u‖Ŵ(k+1)‖.

Softmax: M̂ = q̂ ∘ (êa − ⟨ê,f̂⟩), where |⟨e_i, a_r − f_i⟩| ≤ 2√d‖e_i‖, so that 2‖q_i‖ stands for max|D̂|√m.  The shares q are right up to
ϱ of themselves (`_shares`): F errs by m(ϱ + γ_m), f by that over m.  Neurons that are functions: D̂ is g, of k numbers a neuron, or q g, and
h stands for x.

C_k and P_k are those of Lemmas 2 and 3 at the distance t from a centre, at most the sum of the steps from there and d_k.  H is
computed at centres alone: at W(0), and, where φ'' grows by e^{νt}, again as soon as νt > `TURN`.
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ntkverify import catalogue
from ntkverify.arithmetic.balls import TINY, U
from ntkverify.arithmetic.definite import FLOOR, SUMS, extremes, gamma, length
from ntkverify.arithmetic.elementary import exponentials
from ntkverify.convergence import bounded
from ntkverify.convergence.certificate import KEEP, THETA, Attempt, Launch, attempt, room
from ntkverify.convergence.kept import Kept, name_of
from ntkverify.convergence.witness import BESIDE, attempted, room_beside
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.growth import Constants
from ntkverify.networks.logits import joined, logits
from ntkverify.networks.nouns import INDEPENDENT, Params, Problem, TwoLayer

CHUNK, LOOKS, GROWTH = 16, 16, 1.1
"""Steps that are compiled together; steps between two looks at whether the hypotheses hold, at first and beside those before."""
TURN = 0.25
"""The growth νt of a logarithm of φ'' at which a centre is left."""
CLEAR = 1.02
"""By how much they shall hold in plain floats before they are proved."""


QUICK = 32.0
"""Units of u by which `_tanh` and `_logistic` err at most, both functions of each: E ≤ 1 is right to 4 u (`elementary.EXP`), 1 ± E to
5 u, and a quotient, a product or what a compiler makes of them to 4 u."""


def _tanh(u):
    """(tanh u, tanh' u)."""
    E = lax.optimization_barrier(exponentials(-2 * jnp.abs(u), jnp)[0])  # once for both functions
    whole = lax.optimization_barrier(1 + E)
    return jnp.copysign((1 - E) / whole, u), 4 * (E / whole / whole)


def _logistic(u):
    """(σ(u), σ'(u)), σ the logistic function."""
    E = lax.optimization_barrier(exponentials(-jnp.abs(u), jnp)[0])
    whole = lax.optimization_barrier(1 + E)
    return jnp.where(u < 0, E, 1) / whole, E / whole / whole


def _shares(logits, away):
    """q = m softmax, and ϱ, where each logit errs by at most `away`.

    E = e^ẑ, ẑ = û − c up to u|ẑ|, errs by ρ = 2(α + u|ẑ|) + 8 u of itself (`elementary.EXP` = 4); beyond 708, where it is below
    10⁻³⁰⁰, by less than that.  Its sum errs by ρ and γ_m, so a quotient by 2ρ + γ_m + 8 u, and second orders.
    """
    z = logits - jnp.max(logits, axis=1, keepdims=True)
    E, _, _ = exponentials(z, jnp)
    mass = lax.optimization_barrier(jnp.sum(E, axis=1, keepdims=True))
    m = logits.shape[1]
    rho = 2 * (away + U * jnp.max(jnp.minimum(-z, 708.0))) + 8 * U
    return E * (m / mass), jnp.where(rho < 1e-3, 1.01 * (2 * rho + gamma(m) + 8 * U), jnp.inf)


_PAIRS = {"tanh": _tanh, "sigmoid": _logistic}
"""Network → both functions at a price of a few products; what they stay below is 1."""


def pair(network: TwoLayer) -> Callable | None:
    """φ and φ' with an error that is known beforehand, where there are such; by what the register has under the name."""
    quick = _PAIRS.get(network.name)
    return quick if quick and network.slope is catalogue.two_layer(network.name).slope else None


def _looked_at(network: TwoLayer, X, W):
    """φ, φ', (n,) bounds on what Σ_r φ a_r errs by, the largest |φ'| and the largest error of one; of softmax 2‖q_i‖/√m in place of
    |φ'|, and where neurons are functions φ' is (n, k, m)."""
    m, of_X = W.shape[1], length(X, 1, jnp)
    of_W = jnp.sqrt(jnp.ones(len(W)) @ (W * W)) * SUMS + FLOOR  # `length`, but a sum over rows is slow in JAX
    if network.neuron is not None:
        return _functions(network, X, W)
    if network.normalised:
        q, wrong = _shares(X @ W, gamma(X.shape[1]) * jnp.max(of_X) * jnp.max(of_W) * SUMS + TINY)
        unsure = jnp.full(len(X), m * (wrong + gamma(m)) * 1.01 + TINY)
        steep = 2 * jnp.max(length(q, 1, jnp)) * (1 + wrong) / math.sqrt(m) * SUMS
        return q, q, unsure, steep, wrong * steep * SUMS
    quick = pair(network)
    if quick is None:
        value, slope, of_value, of_slope = bounded.enclosed(network, X, W, of_X[:, None], 0.0)
        unsure = gamma(m) * jnp.sum(jnp.abs(value), axis=1) + jnp.sum(of_value, axis=1)
        return value, slope, unsure, jnp.max(jnp.abs(slope)), jnp.max(of_slope)
    value, slope = quick(X @ W)
    away = gamma(X.shape[1]) * of_X * SUMS
    unsure = (1 + QUICK * U) * gamma(m) * m + QUICK * U * m + away * jnp.sum(of_W) * SUMS  # |φ| and |φ'| are at most 1
    wrong = QUICK * U + (network.bend or 0.0) * jnp.max(away) * jnp.max(of_W) * SUMS
    return value, slope, unsure, jnp.asarray(1 + QUICK * U, X.dtype), wrong


def _functions(network: TwoLayer, X, W):
    """`_looked_at` of neurons that are functions, some neurons at a time."""
    m = W.shape[1]
    block = min(m, bounded.neurons_at_once(len(X), len(W)))
    parts = jnp.moveaxis(jnp.pad(W, ((0, 0), (0, -m % block))).reshape(len(W), -1, block), 1, 0)

    def whole(found):
        """(parts, n, …, block) → (n, …, m)."""
        found = jnp.moveaxis(found, 0, -2)
        return found.reshape(*found.shape[:-2], -1)[..., :m]

    top = jnp.zeros((len(X), 1))
    if network.normalised:
        top = jnp.max(lax.map(lambda W: jnp.max(logits(network, W, X), axis=1), parts), axis=0)[:, None]
    value, slope, of_value, of_slope = map(whole, lax.map(lambda W: bounded.functions(network, X, W, top), parts))
    unsure = (gamma(m) * jnp.sum(jnp.abs(value), axis=1) + jnp.sum(of_value, axis=1)) * SUMS + TINY
    if not network.normalised:
        return value, slope, unsure, *(jnp.max(length(each, 1, jnp)) for each in (slope, of_slope))
    mass = lax.optimization_barrier(jnp.sum(value, axis=1))
    least = jnp.where(mass > unsure, mass - unsure, jnp.nan) * (1 - 4 * U)
    scale, share = m / mass, (unsure / least + 8 * U) * SUMS
    q, slope = value * scale[:, None], slope * scale[:, None, None]
    of_slope = of_slope * (m / least * (1 + 4 * U))[:, None, None] + share[:, None, None] * jnp.abs(slope)
    unsure = ((gamma(m) + share) * jnp.sum(q, axis=1) + jnp.sum(of_value, axis=1) * m / least) * SUMS**2 + TINY
    steep, wrong = (2 * jnp.max(length(each, (1, 2), jnp)) / math.sqrt(m) * SUMS for each in (slope, of_slope))
    return q, slope, unsure, steep + wrong, wrong


@functools.partial(jax.jit, static_argnames=("network", "count"))
@full_precision
def _steps(network: TwoLayer, X, less, a, W, eta, count: int):
    """W after so many steps, and of each step the numbers that its bound is made of; `less` is F_0 + Y."""

    def step(W, _):
        value, slope, unsure, steep, wrong = _looked_at(network, X, W)
        F = value @ a.T
        e = F - less
        unsure = unsure[:, None] + 2 * U * (jnp.abs(F) + jnp.abs(less))
        pull = e @ a
        if network.normalised:
            pull = pull - jnp.sum(e * F, axis=1, keepdims=True) / W.shape[1]
        T = X.T @ (slope * pull) if network.neuron is None else joined(network, X, slope * pull[:, None])
        after = W - eta * T
        return after, (*(length(part, xp=jnp) for part in (e, unsure, T)), steep, wrong)

    return lax.scan(step, W, None, length=count)


class Follower:
    """Where gradient descent from W(0) is, and how far from that it may be; every bound is rounded up."""

    def __init__(self, problem: Problem, start: Params, eta: float):
        start = Params(start.W[:, : problem.m], start.a[:, : problem.m])  # without padding, which a softmax would count
        self.problem, self.start, self.eta = problem, start, eta
        y = np.asarray(problem.y, np.float64)
        at_start = self._centre(start.W)
        of = bounded.fixed(problem)
        self.length, self.off = float(length(of.sizes)), float(np.sqrt(np.sum(of.off**2))) * SUMS
        self.extra, self.less = 0.0, y
        if problem.init == INDEPENDENT:  # F_0 is known up to its own bound, and the sum is rounded
            self.less = y + at_start.F
            rounded = at_start.uncertain[:, None] + U * np.abs(self.less)
            self.extra = float(length(rounded))
        self.step, self.W, self.drift, self.fastest, self.size = 0, start.W, 0.0, 0.0, math.inf

    def _centre(self, W) -> bounded.Seen:
        """Know the constants and ‖J‖ there."""
        net = Params(W, self.start.a)
        found = bounded.seen(self.problem, net)
        H = bounded.kernel(self.problem, net, found)
        below = np.tril(H.mid, -1)
        size = math.sqrt(2) * float(length(below)) + float(length(np.diagonal(H.mid))) + H.error
        self.k = bounded.constants(self.problem, found)
        self.reach, self.away = math.sqrt(self.problem.m * size) * SUMS, 0.0
        return found

    def _within(self, t: float) -> tuple[float, float]:
        """(C, P) up to the distance t from the centre."""
        k, d = self.k, self.problem.d_out
        nu, far = float(k.rate), np.asarray(float(k.rate) * t)
        grown, more, _ = (float(each) for each in exponentials(far, np))
        wide = math.sqrt(d) * (1 + float(k.longest) * t * math.sqrt(grown * float(k.weight) / float(k.m))) + float(
            k.mean
        )
        bend = wide * float(k.sharpness) * SUMS
        return bend * grown * SUMS, (self.reach + bend * (more / nu if nu else t)) * SUMS

    def resume(self, step: int, W, drift: float, away: float, fastest: float) -> None:
        """Go on from a step that was reached before."""
        self.step, self.W, self.drift, self.fastest = step, jnp.asarray(W), drift, fastest
        self.away = away
        if float(self.k.rate):  # the centre before is not known
            self._centre(self.W)

    def advance(self, count: int) -> bool:
        """So many steps; False where the theorem's hypothesis on the way is lost."""
        problem, eta, d, m = self.problem, self.eta, self.problem.d_out, self.problem.m
        normalised = problem.activation.normalised
        before = self.W
        self.W, rows = _steps(problem.network, problem.X, jnp.asarray(self.less), self.start.a, self.W, eta, count)
        wide, of_d, of_n = math.sqrt(d * m) * SUMS, gamma(d), gamma(problem.n)
        size, after = self.size, float(length(np.asarray(before)))
        for e, unsure, of_T, steep, wrong in zip(*map(np.asarray, rows), strict=True):
            unsure = unsure * SUMS + self.extra
            size = (e + unsure) * SUMS
            pulled = of_d + (3 * U + unsure / m if normalised else 0.0)
            of_M = steep * wide * size * (1 + pulled)
            M_off = wrong * wide * size + (steep + wrong) * wide * (unsure + pulled * size) + U * of_M
            T_off = (self.length * (M_off + of_n * of_M + TINY) + self.off * of_M) * SUMS + TINY
            moved = eta * of_T * (1 + 4 * U)
            after = (after + moved) * SUMS
            rounded = (eta * (T_off + 2 * U * of_T) + U * after) * SUMS
            C, P = self._within(self.away + self.drift)
            E = size + P * self.drift
            self.fastest = float(np.maximum(self.fastest, eta * (P * P + C * E) * SUMS))  # NaN stays
            self.drift = float(((1 + eta * C * E * SUMS) * self.drift + rounded) * SUMS)
            self.away = float((self.away + moved + U * after) * SUMS)
        self.step, self.size = self.step + count, float(size)
        if float(self.k.rate) * (self.away + self.drift) > TURN and math.isfinite(self.drift):
            self._centre(self.W)
        return bool(self.fastest <= 2 and math.isfinite(self.drift))


def launched(
    problem: Problem, start: Params, keep: float = KEEP, theta: float = THETA, most: int = 4096,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None, kept: Kept | None = None, beside: bool = True,
) -> Attempt | None:  # fmt: skip
    """The earliest start that was looked at where everything is proved; None if there is none within `most` steps."""
    kept = Kept() if kept is None else kept
    name = name_of("norms", problem, start, keep, theta, most)
    if name in kept.failed:
        return None
    k, spectrum, size = _looked(problem, start)
    bend = (math.sqrt(problem.d_out) + float(k.mean)) * float(k.sharpness)
    # The ball's P² is at most (2 − √keep)² times m‖H‖ at its centre.
    eta = 2 * theta / ((2 - math.sqrt(keep)) ** 2 * problem.m * spectrum[-1] + bend * size)
    way, place = Follower(problem, start, eta), name_of("norms", problem, start, eta)
    before = kept.before(place, start.W, most)
    if before.step:
        way.resume(before.step, before.W, before.drift, *before.more)
    at, last = way.step or LOOKS, most // CHUNK * CHUNK
    while way.step < last:
        while way.step < at:
            if not way.advance(CHUNK):
                kept.gave_up(name)
                return None
            kept.reached(place, way.step, way.W, way.drift, (way.away, way.fastest))
            heard(f"m = {problem.m}: following gradient descent, ‖e‖ = {way.size:.3g}", way.step, most)
        at = min(CHUNK * max(way.step // CHUNK + 1, math.ceil(GROWTH * way.step / CHUNK)), last)
        there = Params(way.W, start.a)
        k, spectrum, size = _looked(problem, there, start)
        found = room(k, spectrum[0], spectrum[-1], size, keep, theta)
        near = beside and found >= BESIDE
        if found < CLEAR and not (near and room_beside(problem, start, there, size, keep, theta) >= CLEAR):
            continue
        found = (attempted if beside else attempt)(problem, start, keep, theta, Launch(way.step, there, way.drift), eta)
        if found.proved:
            return found
    kept.gave_up(name)
    return None


def _looked(problem: Problem, net: Params, start: Params | None = None) -> tuple[Constants, tuple[float, float], float]:
    """The constants, about (λ_min, ‖H‖) and ‖e‖; ‖Y‖ where no start is told."""
    found = bounded.seen(problem, net)
    k, spectrum = bounded.constants(problem, found), extremes(bounded.kernel(problem, net, found).mid)
    if start is None:
        return k, spectrum, float(jnp.sqrt(jnp.sum(problem.y**2)))
    less = bounded.seen(problem, start) if problem.init == INDEPENDENT else None
    return k, spectrum, float(np.linalg.norm(bounded.error(problem, found, less)[0]))
