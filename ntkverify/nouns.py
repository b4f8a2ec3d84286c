"""The nouns that travel down the flow.  Each is a frozen record; none knows how it is used.

Arrays: X (n, d_in), y (n, d_out), W (d_in, m), a (d_out, m).  Outputs are (n, d_out), flattened with
the sample slow, p = i·d_out + l; kernels are (n·d_out, n·d_out) in that order.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from ntkverify.errors import BadInput
from ntkverify.statement import Statement, read

COUPLED, INDEPENDENT = "coupled", "independent"
AT_START, IN_BALL, ON_PATH = "initialisation", "ball", "path"
Leaf = Any
"""A JAX array; not declared as one, because transformations rebuild records with placeholders."""


@dataclass(frozen=True)
class Activation:
    """A two-layer network's nonlinearity, with everything that depends on it.

    Its functions are those of a module, so that records can be copied and pickled, and stay equal.
    """

    name: str
    title: str
    source: str
    value: Callable
    """φ, elementwise."""
    slope: Callable
    """φ', elementwise."""
    expectation: Callable
    """(X, Z, σ) → E[φ'(⟨w,x_i⟩) φ'(⟨w,z_j⟩)] over w ~ N(0, σ² I), a (rows of X, rows of Z) array."""
    spread: Callable
    """s → E[φ'(u)⁴] / E[φ'(u)²]² for u ~ N(0, s²): how many neurons it takes for means to settle."""
    inaccuracy: Callable | None = None
    """(X, Z, σ) → a bound on the error of `expectation` relative to its largest entry, where it is found by
    quadrature; None for closed forms."""
    normalised: bool = False
    """F divides by Σ_r φ (then φ = φ' = exp: softmax)."""
    root_scaled: bool = False
    """F carries m^{-1/2} instead of Σ_r alone."""
    bend: float | None = None
    """sup |φ''|; None where φ'' = φ (exp), ∞ where φ has none (ReLU)."""


@dataclass(frozen=True)
class Dataset:
    """(X, y) as they came, before scaling."""

    name: str
    X: np.ndarray
    y: np.ndarray
    origin: str
    """One sentence on where the numbers come from."""
    digest: str = ""
    """Of a file: eight hex digits of its SHA-256.  Other data are what their name and the seed make them."""


def sampled(X: np.ndarray, y: np.ndarray, n: int | None, seed: int, name: str):
    """n rows chosen by the seed (all for None).  `BadInput` if there are fewer."""
    if n is None:
        return X, y
    if n > len(X):
        raise BadInput(f"--n {n} for {name}", f"at most {len(X)}, the rows there are", f"--n {len(X)}")
    rows = np.sort(np.random.default_rng(seed).choice(len(X), n, replace=False))
    return X[rows], y[rows]


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["X", "y", "sigma", "delta", "radius"],
    meta_fields=["activation", "init", "m", "rank"],
)
@dataclass(frozen=True)
class Problem:
    """Data, architecture and the scales of a question; everything random is drawn from it."""

    X: Leaf
    """(n, d_in), rows of norm ≤ 1."""
    y: Leaf
    """(n, d_out), rows of norm ≤ 1."""
    sigma: Leaf
    """Standard deviation of the entries of W(0)."""
    delta: Leaf
    """Allowed probability of failure."""
    radius: Leaf
    """R: how far each neuron may move."""
    activation: Activation
    init: str
    m: int
    rank: int
    """rank(X), exactly or, where X is large, from above."""

    @property
    def n(self) -> int:
        return self.X.shape[0]

    @property
    def d_in(self) -> int:
        return self.X.shape[1]

    @property
    def d_out(self) -> int:
        return self.y.shape[1]


@functools.partial(jax.tree_util.register_dataclass, data_fields=["W", "a", "live"], meta_fields=[])
@dataclass(frozen=True)
class Params:
    """One network: trained weights W (d_in, m) and fixed signs a (d_out, m)."""

    W: Leaf
    a: Leaf
    live: Leaf = None
    """How many neurons count, the first ones, as a float; None: all.  The others are padding, with W = 0, a = 0 and
    no share in a softmax, so that networks of several widths run in one compiled program."""

    @property
    def m(self) -> Leaf:
        """The width."""
        return self.W.shape[1] if self.live is None else self.live

    @property
    def mask(self) -> Leaf:
        """Which neurons count, (m,), or None for all."""
        return None if self.live is None else jax.numpy.arange(self.W.shape[1], dtype=self.live.dtype) < self.live


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["start", "eta", "time", "least", "top", "furthest", "slowest"],
    meta_fields=[],
)
@dataclass(frozen=True)
class Path:
    """How gradient descent came to a point: from W(0) in `time` steps of size `eta`."""

    start: Params
    eta: Leaf
    time: Leaf
    least: Leaf
    """Smallest λ_min(H) on the way."""
    top: Leaf
    """Largest λ_max(H) on the way."""
    furthest: Leaf
    """Largest max_r ‖w_r − w_r(0)‖ on the way, the step about to be taken included."""
    slowest: Leaf
    """Largest ratio ‖e(s+1)‖² / ‖e(s)‖² on the way (0 before the first step)."""


@functools.partial(jax.tree_util.register_dataclass, data_fields=["base", "moved", "probe", "path"], meta_fields=[])
@dataclass(frozen=True)
class Point:
    """Where a claim is evaluated: a base point W, a point W̃, a direction.

    In the ball, W = W(0) and W̃ lies at distance R.  On a path, W = W(τ) and W̃ = W(τ+1).
    `probe` is an (n, d_out) array of random signs, a direction in output space.
    """

    base: Params
    moved: Params
    probe: Leaf
    path: Leaf = None
    """The `Path` that led to W(τ), for claims about training."""


Formula = Callable[[Problem, Point, Mapping[str, Any]], jax.Array]


@dataclass(frozen=True)
class Twin:
    """A mutation of a claim that must be refuted where the claim holds."""

    mutation: str
    lhs: Formula | None = None
    rhs: Formula | None = None
    assumptions: Formula | None = None


@dataclass(frozen=True)
class Where:
    """Assumptions that hold where another holds and every function of `inside` is ≥ 0."""

    assumptions: Formula
    inside: tuple[Formula, ...]

    def __call__(self, problem: Problem, point: Point, constants: Mapping[str, Any]) -> jax.Array:
        found = self.assumptions(problem, point, constants)
        for each in self.inside:
            found = found & (jax.numpy.min(each(problem, point, constants)) >= 0)
        return found


def always(problem: Problem, point: Point, constants: Mapping[str, Any]) -> jax.Array:
    """No assumption beyond the setting."""
    return jax.numpy.asarray(True)


@dataclass(frozen=True)
class Claim:
    """One form of one lemma, executable: three pure functions of one signature.

    Hashed by its functions, so that it is a static argument of `jit`; constants travel as arrays.
    `lhs` and `rhs` may be arrays: the claim then holds entry by entry.
    """

    id: str
    lhs: Formula
    rhs: Formula
    assumptions: Formula
    where: str
    """"initialisation": W̃ = W(0); "ball": W̃ in the ball of radius R around W(0); "path": along training."""
    direction: str
    statement: Statement = field(compare=False)
    constants: Mapping[str, float] = field(compare=False, default_factory=dict)
    twins: tuple[Twin, ...] = field(compare=False, default=())
    beyond: Formula | None = None
    """log₁₀ of the factor by which a width or step size that the form assumes is missed; above 0 the form
    is not applicable, and the verdict names the factor."""
    inside: tuple[Formula, ...] = ()
    """Functions that are ≥ 0 where the form says something; `assumptions` says so too, and a search finds its way in
    by them."""

    @property
    def form(self) -> str:
        return self.statement.form

    def promised(self, delta: float) -> float:
        """The probability with which the claim says that it holds."""
        return 1.0 if self.statement.promise == "1" else 1.0 - delta

    def mutated(self, twin: Twin) -> "Claim":
        """The claim with the twin's mutation in place of its own formula."""
        return dataclasses.replace(
            self,
            lhs=twin.lhs or self.lhs,
            rhs=twin.rhs or self.rhs,
            assumptions=twin.assumptions or self.assumptions,
            inside=() if twin.assumptions else self.inside,
            twins=(),
        )


def claim(
    module: str,
    docstring: str | None,
    form: str,
    *,
    lhs: Formula,
    rhs: Formula,
    assumptions: Formula = always,
    where: str = IN_BALL,
    constants: Mapping[str, float] | None = None,
    twins: tuple[Twin, ...] = (),
    beyond: Formula | None = None,
    inside: tuple[Formula, ...] = (),
) -> Claim:
    """Bind the formulas to the form that the module's docstring states.

    `assumptions` gives a boolean; `inside` are functions, numbers or arrays of order one, that are ≥ 0 where the form
    says something.
    """
    statement = read(docstring or "")[form]
    return Claim(
        id=module.rpartition(".")[2].replace("_", "-"),
        lhs=lhs,
        rhs=rhs,
        assumptions=Where(assumptions, inside) if inside else assumptions,
        where=where,
        direction=statement.direction,
        statement=statement,
        constants=constants or {},
        twins=twins,
        beyond=beyond,
        inside=inside,
    )
