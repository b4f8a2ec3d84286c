"""Does this machine's arithmetic keep what the running bounds take for granted?  Tried, not proved.

Random numbers over a wide range go through compiled programs of one operation; exact fractions say what is right.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic import elementary
from ntkverify.arithmetic.running import allowance
from ntkverify.ground.numerics import full_precision, gamma, unit_roundoff

COUNT = 1024
"""Numbers tried of each operation."""


@dataclass(frozen=True)
class Finding:
    """One operation in one dtype."""

    operation: str
    dtype: str
    worst: float
    """Largest error seen, in the unit that `allowed` is in."""
    allowed: float

    @property
    def kept(self) -> bool:
        """Whether the machine does what is taken for granted."""
        return self.worst <= self.allowed


def probe(dtype: str, seed: int = 0, count: int = COUNT) -> list[Finding]:
    """The findings of every operation in float32 or float64, on JAX's default device."""
    rng, u = np.random.default_rng(seed), unit_roundoff(dtype)
    reach = 30 if dtype == "float32" else 250
    a, b = (
        (rng.uniform(1, 2, count) * rng.choice([-1, 1], count) * 2.0 ** rng.integers(-reach, reach, count)).astype(
            dtype
        )
        for _ in range(2)
    )
    near = (b * (1 + rng.integers(-4, 5, count) * 2 * u)).astype(dtype)
    divide, root = allowance(dtype)
    small = rng.uniform(-80, 80, count).astype(dtype)
    cases = (
        ("+", lambda x, y: x + y, (a, b), lambda x, y: x + y, 1.0),
        ("−, nearly equal", lambda x, y: x - y, (b, near), lambda x, y: x - y, 1.0),
        ("×", lambda x, y: x * y, (a, b), lambda x, y: x * y, 1.0),
        ("÷", lambda x, y: x / y, (a, b), lambda x, y: x / y, divide),
        ("÷ by one number", lambda x, y: x / y[0], (a, b), lambda x, y: x / Fraction(float(b[0])), divide),
        ("√", lambda x: jnp.sqrt(x), (np.abs(a),), None, root),
        ("e^x, ours", lambda x: elementary.exponentials(x, jnp)[0], (small,), None, elementary.EXP),
        ("e^x − 1, ours", lambda x: elementary.exponentials(x, jnp)[1], (small / 80,), None, elementary.EXPM1),
    )
    found = []
    for name, run, inputs, exact, allowed in cases:
        got = np.asarray(jax.jit(run)(*map(jnp.asarray, inputs)))
        found.append(Finding(name, dtype, _worst(name, got, inputs, exact, u), allowed))
    return [*found, _products(rng, dtype, u)]


def _worst(name: str, got, inputs, exact, u: float) -> float:
    """The largest error relative to the result, in units of u."""
    worst = 0.0
    for value, *operands in zip(got.tolist(), *(array.tolist() for array in inputs), strict=True):
        fractions = list(map(Fraction, operands))
        if not math.isfinite(value):
            return math.inf
        true = _function(name, fractions[0]) if exact is None else exact(*fractions)
        error = abs(Fraction(value) - true)
        if error:
            worst = max(worst, float(error / abs(true)) / u if true else math.inf)
    return worst


def _function(name: str, x: Fraction) -> Fraction:
    """√x or e^x or e^x − 1 to forty digits and more."""
    if name == "√":
        scale = 2**400
        return Fraction(math.isqrt(x.numerator * x.denominator * scale**2), x.denominator * scale)
    halvings = max(0, math.ceil(math.log2(max(abs(float(x)), 1e-9))) + 4)
    t, term, total = x / 2**halvings, Fraction(1), Fraction(0)
    for k in range(1, 24):
        term = _short(term * t / k)
        total += term
    for _ in range(halvings):
        total = _short(total * (total + 2))  # (1 + q)² − 1
    return total if "− 1" in name else total + 1


def _short(x: Fraction, bits: int = 400) -> Fraction:
    return Fraction(math.floor(x * 2**bits), 2**bits)


def _products(rng, dtype: str, u: float) -> Finding:
    """Matrix products against exact ones, in units of γ_k Σ|terms|: above 1 means TF32, bfloat16 or the like."""
    k = 64
    x, y = (rng.standard_normal((8, k)).astype(dtype) for _ in range(2))
    got = np.asarray(jax.jit(full_precision(lambda x, y: x @ y.T))(jnp.asarray(x), jnp.asarray(y)))
    worst = 0.0
    for i in range(8):
        for j in range(8):
            terms = [Fraction(p) * Fraction(q) for p, q in zip(x[i].tolist(), y[j].tolist(), strict=True)]
            error = abs(Fraction(float(got[i, j])) - sum(terms))
            worst = max(worst, float(error / sum(map(abs, terms))) / gamma(k, np.dtype(dtype)))
    return Finding("products of matrices", dtype, worst, 1.0)


def sentence(dtype: str) -> tuple[bool, str]:
    """(whether everything is kept, what was seen), for `doctor`."""
    found = probe(dtype)
    if broken := [each for each in found if not each.kept]:
        said = ", ".join(
            f"{each.operation} errs by {each.worst:.3g} u, {each.allowed:g} are allowed" for each in broken
        )
        return False, f"worse than the rounding bounds take for granted: {said}. Do not trust this device's verdicts."
    seen = ", ".join(f"{each.operation} {each.worst:.2f} of {each.allowed:g}" for each in found if each.allowed != 1)
    return True, f"as the rounding bounds take for granted (errors in u: {seen})"
