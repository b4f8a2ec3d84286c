"""The nouns that travel down the flow.  Each is a frozen record; none knows how it is used.

Arrays: X (n, d_in), y (n, d_out), W (p, m), a (d_out, m); p = d_in unless neurons are functions of their own; a model of
the user's has W (p, 1).  Outputs are (n, d_out), flattened with
the sample slow, p = i·d_out + l; kernels are (n·d_out, n·d_out) in that order.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ntkverify.ground.errors import BadInput

COUPLED, INDEPENDENT, TRAINED = "coupled", "independent", "trained"
"""How a network begins: drawn in pairs, drawn apart, or where somebody trained it to."""
AT_START, IN_BALL, ON_PATH = "initialisation", "ball", "path"
Leaf = Any
"""A JAX array; not declared as one, because transformations rebuild records with placeholders."""


@dataclass(frozen=True)
class Neuron:
    """z(w; x), what a neuron makes of an input of any shape, where that is not ⟨w, x⟩.

    Its gradient is inner(w, x) ⊗ outer(x), of length p = k·l: what depends on w is of length k, and the kernel costs k
    times that of a network of logits, for which inner = 1 and outer = x.
    """

    size: Callable
    """(shape of x) → p; `BadInput` for a shape that it cannot read."""
    value: Callable
    """(w (p,), x) → z."""
    inner: Callable | None = None
    """(w (p,), x) → (k,); None: the whole gradient, by automatic differentiation."""
    outer: Callable | None = None
    """x → (l,); None: 1."""
    bend: Callable | None = None
    """x → b with |∇²z(w; x)[U, U]| ≤ b ‖U outer(x)‖² for every w and U (k, l), up to its own rounding; None: no bound is
    known."""
    steep: Callable | None = None
    """x → g with ‖inner(w, x)‖ ≤ g for every w, up to its own rounding; read where neurons are under a softmax, whose bend it
    enters; None: no bound is known."""


@dataclass(frozen=True)
class TwoLayer:
    """Neurons under a sum, or a softmax: a two-layer network's nonlinearity, with everything that depends on it.

    Its functions are those of a module, so that records can be copied and pickled, and stay equal.
    """

    name: str
    title: str
    source: str
    value: Callable
    """φ, elementwise."""
    slope: Callable
    """φ', elementwise."""
    expectation: Callable | None = None
    """(X, Z, σ) → E[φ'(⟨w,x_i⟩) φ'(⟨w,z_j⟩)] over w ~ N(0, σ² I), a (rows of X, rows of Z) array, in closed form; None: by
    quadrature, for φ'² ≤ 2."""
    dual: Callable | None = None
    """(t, σ) → K_ij of two unit inputs with ⟨x_i,x_j⟩ = t, for numbers of Arb; None: no closed form."""
    series: Callable | None = None
    """(X, σ) → (D (n,), F, P, β_0, ratio), P and F (n, n) and positive semidefinite, K − D_i D_j Σ_{j<J} β_j F∘P^{∘j} likewise for
    every J, β_{j+1} = ratio(j) β_j ≥ 0; None: no such series is known."""
    spread: Callable | None = None
    """s → E[φ'(u)⁴] / E[φ'(u)²]² for u ~ N(0, s²): how many neurons it takes for means to settle; None: by quadrature."""
    normalised: bool = False
    """F divides by Σ_r φ (then φ = φ' = exp: softmax)."""
    root_scaled: bool = False
    """F carries m^{-1/2} instead of Σ_r alone."""
    bend: float | None = None
    """sup |φ''|; None where φ'' = φ (exp), ∞ where φ has none (ReLU)."""
    neuron: Neuron | None = None
    """What takes the place of ⟨w, x⟩; None: nothing does.  `expectation` and `spread` are then not read: the limit is
    found by quasi-Monte Carlo."""
    shape: tuple[int, ...] = ()
    """Of one input, whose row of X is its entries in C order; (): a vector.  Set when the problem is made."""
    features: Callable | None = None
    """X → the inputs that the logits read, as a matrix; None: X itself.  Applied when the problem is made."""

    @property
    def is_softmax(self) -> bool:
        """Whether it is the paper's: softmax over ⟨w, x⟩."""
        return self.normalised and self.neuron is None


@dataclass(frozen=True)
class Layout:
    """How a model's parameters lie in two vectors, those that train and those that do not."""

    tree: Any
    """JAX's structure of the pytree."""
    trains: tuple[bool | None, ...]
    """Of each leaf; None: it is no floating-point array, and stays what `rest` says."""
    shapes: tuple[tuple[int, ...], ...]
    """Of each leaf; () where it is no array."""
    rest: tuple[Any, ...]
    """The leaves that are no floating-point arrays, in their order."""

    def size(self, trained: bool) -> int:
        """How many numbers train, or do not."""
        return sum(
            math.prod(shape) for shape, trains in zip(self.shapes, self.trains, strict=True) if trains is trained
        )


@dataclass(frozen=True)
class Model:
    """A network of the user's own: any pytree of parameters, any function of them (`models.py`).

    It is treated as one neuron: W is the vector of all that trains, as one column, and `a` the vector of all other
    floating-point numbers.
    """

    name: str
    title: str
    source: str
    """The file it comes from, or nothing."""
    digest: str
    """Of what that file and those that it imports from beside it hold."""
    initialise: Callable
    """(key, width) → parameters."""
    apply: Callable
    """(parameters, X (n, …)) → (n, d_out)."""
    trained: Callable | None = None
    """parameters → the same tree with a Boolean for each leaf; None: all train."""
    scale: Callable | None = None
    """width → s_m in J Jᵀ = s_m H; None: 1."""
    s_m: float = 1.0
    """What `scale` gives; set, like what follows the exponent, when the problem is made."""
    drift: float | None = None
    """The exponent of the width that is predicted for the kernel's relative drift."""
    width: int = 0
    """Set, like what follows, when the problem is made."""
    coupled: bool = False
    """The network and its copy with the opposite sign: (F(θ) − F(θ'))/√2, θ = θ' at the start."""
    shape: tuple[int, ...] = ()
    """Of one input; (): a vector."""
    layout: Layout | None = None

    @property
    def size(self) -> int:
        """How many numbers train."""
        assert self.layout is not None
        return (1 + self.coupled) * self.layout.size(True)


Network = TwoLayer | Model


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
    shape: tuple[int, ...] = ()
    """Of one input whose row of X is its entries in C order: tokens (L, d_t), an image (height, width); (): a vector."""


def sampled(X: np.ndarray, y: np.ndarray, n: int | None, seed: int, name: str):
    """n rows chosen by the seed (all for None).  `BadInput` if there are fewer."""
    if n is None:
        return X, y
    if n > len(X):
        raise BadInput(f"n = {n} for {name}", f"at most {len(X)}, the rows there are", f"n = {len(X)}")
    rows = np.sort(np.random.default_rng(seed).choice(len(X), n, replace=False))
    return X[rows], y[rows]


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["X", "y", "sigma", "delta", "radius"],
    meta_fields=["network", "init", "m", "rank"],
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
    network: Network
    init: str
    m: int
    rank: int
    """rank(X), exactly or, where X is large, from above."""

    @property
    def activation(self) -> TwoLayer:
        """The network of a question about two-layer networks; nothing else reads it."""
        assert isinstance(self.network, TwoLayer)
        return self.network

    @property
    def n(self) -> int:
        return self.X.shape[0]

    @property
    def d_in(self) -> int:
        return self.X.shape[1]

    @property
    def d_out(self) -> int:
        return self.y.shape[1]

    @property
    def p(self) -> int:
        """Trained numbers a neuron; a model is one."""
        if isinstance(self.network, Model):
            return self.network.size
        neuron = self.network.neuron
        return self.d_in if neuron is None else neuron.size(self.network.shape or (self.d_in,))


@functools.partial(jax.tree_util.register_dataclass, data_fields=["W", "a", "live"], meta_fields=[])
@dataclass(frozen=True)
class Params:
    """One network: trained weights W (p, m) and fixed signs a (d_out, m)."""

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
    data_fields=["start", "eta", "time", "least", "top", "furthest", "slowest", "length", "share"],
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
    length: Leaf
    """Σ ‖W(s+1) − W(s)‖ over all neurons on the way, the step about to be taken included."""
    share: Leaf
    """Smallest share (‖e(s)‖ − ‖e(s+1)‖) ‖e(s)‖ / (‖Jᵀe‖ ‖W(s+1) − W(s)‖) on the way, the step about to be taken included."""


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
