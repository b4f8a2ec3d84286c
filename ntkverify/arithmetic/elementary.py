"""One proved eˣ − 1 that carries every elementary function, in NumPy and in JAX, in float64 and float32.

No library's exp, log or tanh is trusted: what follows is built from +, −, × and exact powers of two.  `u` is the
unit roundoff; a product that is added may be fused with the sum, which removes a rounding and adds none.

**Reduction.**  k = ⌊x/ln 2 + ½⌋, ln 2 = HIGH + LOW + rest.  HIGH has so few bits that k·HIGH is exact, and the rest is
below u·LOW.  t = (x − k·HIGH) − k·LOW has |t| ≤ 0.3467 and error ≤ u(0.356 + 0.347 + 2⁻⁵) < 0.74 u; none for k = 0.

**Series.**  q = t + t²·s, s = Σ_{j=2}^N t^{j−2}/j! by Horner.  Running errors: at most 0.1 u in the stage of t²/4!, 0.40 u in
the next, 0.77 u in s ≥ 0.4455, so 1.72 u of s; t² and its product with s add 2 u; |t² s| ≤ 0.184 |q|; the sum adds u; the
powers left out are below 0.012 u |q|.  Together q errs by at most 1.71 u |e^t − 1|, and e^t by 0.74 u for the error of t.

**e^x** = 2^k (1 + q): |q| ≤ 0.416 e^t, so at most 0.72 u + 0.74 u + u = 2.5 u: `EXP` = 4.
**e^x − 1** = 2^k q + (2^k − 1), the second term exact for |k| ≤ 53 (24 in float32), else right to u.  The worst k is 1, where
2q ≤ 1.42, 2e^t ≤ 3.42 in units of the result: 1.42 · 1.71 u + 3.42 · 0.74 u + u < 6 u: `EXPM1` = 8.
**e^x − 1 − x** = t² s for k = 0, where t = x: 1.72 u + 2 u, and 0.08 u for the powers left out.  Else the difference of
e^x − 1 and x, which is smallest beside e^x − 1 at |x| = 0.3465: 6.13 · 8 u + u < 51 u: `SECOND` = 52.
What underflows on the way is below the smallest normal number, `tiny`, which callers add.

**∫₀ˣ e^{−t²}dt** = x e^{−y} p, y = x², p = Σ_k Π_{j≤k} 2y/(2j+1) by Horner, p_k = 1 + (y c_k) p_{k+1}, c_k = 2/(2k+1).  All
terms are positive.  With w the share of what is added to 1, a stage passes on w times the error before it and 4 u (of y, c_k
and two products), and adds u of its own: at most 5 u Σ_j (share of the terms from j on) = 5 u (1 + E k), and E k ≤ y, since
(2k+1)(term k) = 2y (term k−1).  The terms after the hundredth are below 10⁻¹⁸ of p for |x| ≤ 6.  e^{−y} errs by y u for the
error of y and `EXP` u, the products by 2 u: (11 + 6y) u in all, `GAUSS` = (12, 7).  From |x| = 6 on the integral grows by less
than `BEYOND`.

**arctan x**, |x| ≤ `NEAR`, = x p, p = Σ_k (−y)^k/(2k+1), y = x² ≤ 0.1765, by Horner from the 26th power on, where 10⁻²⁰ is
left out.  The stage of 1/3 errs by less than u; the last adds 0.18 u for it, 0.12 u for y and the product, u for the sum:
1.3 u, which is 1.4 u of p ≥ 0.94.  The product with x adds u: `ARCTAN` = 4.

**log** is taken from any library and proved afterwards: with y the value found, log v − y = log(1 + τ), τ = (v − e^y)/e^y,
and |log(1 + τ)| ≤ |τ|/(1 − |τ|).  Near v = 1, v − e^y is computed as (v − 1) − (e^y − 1), where v − 1 is exact.
"""

import functools
import math
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
from jax import lax

EXP, EXPM1, SECOND = 4.0, 8.0, 52.0
"""Relative errors of `exponentials`, in units of u."""
ARCTAN, NEAR = 4.0, 0.42
GAUSS, FLAT, BEYOND, _TERMS = (12.0, 7.0), 6.0, 2e-17, 100
_LN2 = Fraction("0.69314718055994530941723212145817656807550013436026")
_BITS = {np.dtype(np.float64): 32, np.dtype(np.float32): 14}
"""Bits of HIGH: with the 11 (8) of k they fit into a float."""
_POWERS = {np.dtype(np.float64): 14, np.dtype(np.float32): 8}
"""N."""


def _constants(dtype: np.dtype):
    high = Fraction(math.floor(_LN2 * 2 ** _BITS[dtype]), 2 ** _BITS[dtype])
    return dtype.type(float(high)), dtype.type(float(_LN2 - high)), dtype.type(1 / float(_LN2))


def _power_of_two(k, dtype: np.dtype, xp):
    """2^k for −126 ≤ k ≤ 127 (float32: −126; float64: −1022 ≤ k ≤ 1023), by its bits."""
    bits, bias, whole = (52, 1023, np.int64) if dtype == np.float64 else (23, 127, np.int32)
    word = (k + bias).astype(whole) << whole(bits)
    return lax.bitcast_convert_type(word, dtype) if xp is jnp else word.view(dtype)


def exponentials(x, xp):
    """(e^x, e^x − 1, e^x − 1 − x) to `EXP`, `EXPM1` and `SECOND` units in u, beside 4 tiny; infinite above the range, NaN
    for NaN."""
    dtype = np.dtype(x.dtype)
    high, low, inverse = _constants(dtype)
    most, least = (709.0, -708.0) if dtype == np.float64 else (88.0, -87.0)
    within = xp.minimum(xp.maximum(x, dtype.type(least)), dtype.type(most))  # below, e^x and e^least are within 2 tiny
    k = xp.floor(within * inverse + dtype.type(0.5))
    t = (within - k * high) - k * low
    s = dtype.type(1 / math.factorial(_POWERS[dtype]))
    for j in range(_POWERS[dtype] - 1, 1, -1):
        s = dtype.type(1 / math.factorial(j)) + t * s
    second = (t * t) * s
    q = t + second
    half = xp.floor(k * dtype.type(0.5))
    first, rest = (_power_of_two(part, dtype, xp) for part in (half, k - half))
    one = dtype.type(1)
    exp, expm1 = ((one + q) * first) * rest, (q * first) * rest + (first * rest - one)
    second = xp.where(k == 0, second, expm1 - x)
    above = x > most
    return tuple(xp.where(above, dtype.type(np.inf), found) for found in (exp, expm1, second))


def gaussian_integral(x, xp):
    """(∫₀ˣ e^{−t²}dt, its error beside 4 tiny); NaN for NaN."""
    dtype = np.dtype(x.dtype)
    within = xp.minimum(xp.maximum(x, dtype.type(-FLAT)), dtype.type(FLAT))
    y, factors = within * within, np.asarray([2 / (2 * k + 1) for k in range(_TERMS, 0, -1)], dtype)
    one = xp.ones_like(y)
    if xp is jnp:
        p, _ = lax.scan(lambda p, c: (one + (y * c) * p, None), one, factors)
    else:
        p = functools.reduce(lambda p, c: one + (y * c) * p, factors, one)
    value = within * (exponentials(-y, xp)[0] * p)
    own = float(np.finfo(dtype).eps) / 2 * (GAUSS[0] + GAUSS[1] * y) * xp.abs(value)
    return value, (own + xp.where(xp.abs(x) > FLAT, BEYOND, 0)).astype(dtype)


def arctangent(x, xp):
    """arctan x to `ARCTAN` units in u, beside 4 tiny, for |x| ≤ `NEAR`; NaN beyond, and for NaN."""
    dtype = np.dtype(x.dtype)
    y, p = x * x, xp.zeros_like(x)
    for k in range(26, -1, -1):
        p = dtype.type(1 / (2 * k + 1)) - y * p
    return xp.where(xp.abs(x) <= NEAR, x * p, dtype.type(np.nan))


def log_error(of_y, v, past_one, exact, u: float, xp):
    """A bound on |log V − y|, where V = 1 + `past_one` if `exact`, else V = v up to one rounding; ∞ where nothing is known.

    `of_y` are the `exponentials` of y.
    """
    exp, expm1, _ = of_y
    gap = xp.where(exact, xp.abs(past_one - expm1), xp.abs(v - exp))
    # What underflowed in exp, in the gap and here is added before τ divides it by e^y.
    lost = 8 * float(np.finfo(np.dtype(v.dtype)).tiny)
    unsure = xp.where(exact, EXPM1 * u * xp.abs(expm1), EXP * u * exp + u * xp.abs(v)) + lost
    known = (exp > 0) & xp.isfinite(exp) & xp.isfinite(gap)
    tau = (gap * (1 + 4 * u) + unsure) / xp.where(known, exp, 1) * (1 + 8 * u)
    return xp.where(known & (tau <= 0.25), tau * (1 + 2 * tau), xp.inf)
