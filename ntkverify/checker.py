"""Verifying a certificate of convergence, by code that shares nothing with what made it but the file.

Everything is computed again from the floats of the file, in Arb's balls of `BITS` bits: the kernel at
W(0) and that λ_min and ‖H‖ are as claimed (interval Cholesky factors of H − λI and ‖H‖I − H), the constants of
docs/proofs/convergence.md (Collatz–Wielandt quotients for B), then the hypotheses of Theorem 5 and
Proposition 6 from the claimed numbers.  The format is described in docs/certificates.md.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from flint import arb, arb_mat, ctx

from ntkverify.errors import BadInput

BITS = 128
SCHEMA = 1
POWER = 20
"""Steps towards the vectors of the quotients; any positive vectors give bounds."""
BOUNDED = {
    "tanh": lambda: 4 / (3 * arb(3).sqrt()), "sigmoid": lambda: 1 / (6 * arb(3).sqrt()), "swish": lambda: arb(1) / 2,
}  # fmt: skip
"""sup |φ''|."""
NETWORKS = ("softmax", "exponential", *BOUNDED)
INITS = ("coupled", "independent")
FLOATS = ("X", "y", "W", "a", "s", "eta", "omega", "keep")
BOUNDS = ("lambda", "norm", "size", "longest", "mean", "weight", "sharpness", "rate")
CONCLUSIONS = ("kept", "theta", "spent", "reach", "contraction")


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: what, the claimed number, what the checker found, and whether it is so."""

    what: str
    claimed: float
    found: float
    holds: bool


@dataclass(frozen=True)
class Checked:
    """What became of a certificate."""

    accepted: bool
    sentence: str
    findings: tuple[Finding, ...]


def check(path: Path) -> Checked:
    """Verify the certificate in a file; `BadInput` if it is no certificate."""
    content = _read(path)
    before = ctx.prec
    ctx.prec = BITS
    try:
        return _checked(content)
    finally:
        ctx.prec = before


def is_certificate(path: Path) -> bool:
    """Whether a file is to be read as one, by its name."""
    return path.suffix == ".json"


def _read(path: Path) -> dict:
    wanted, attempt = "a certificate that ntkverify realise wrote", "ntkverify realise"
    try:
        content = json.loads(path.read_text("utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise BadInput(f"no file {path}", wanted, attempt) from None
    except (OSError, ValueError, RecursionError):
        raise BadInput(f"{path} is damaged or not JSON", wanted, attempt) from None
    if not isinstance(content, dict) or content.get("kind") != "convergence":
        raise BadInput(f"{path} is no certificate", wanted, attempt)
    if content.get("schema") != SCHEMA:
        raise BadInput(f"{path} is of another version", f"schema {SCHEMA}", attempt)
    return content


def _no_number(word: str):
    raise ValueError(word)


def digest(content: dict) -> str:
    """SHA-256 of everything but the digest, as JSON with sorted keys."""
    rest = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _checked(content: dict) -> Checked:
    if content.get("digest") != digest(content):
        return Checked(False, "It was changed after it was written: its content does not match its digest.", ())
    try:
        network, init = _word(content, "network", NETWORKS), _word(content, "init", INITS)
        numbers, bounds, conclusions = (
            _numbers(content, part, names)
            for part, names in (("floats", FLOATS), ("bounds", BOUNDS), ("conclusions", CONCLUSIONS))
        )
        given = _Floats(network, init, numbers)
    except _Malformed as error:
        return Checked(False, f"It is malformed: {error}.", ())
    findings = [*_at_start(given, bounds), *_hypotheses(given, bounds, conclusions)]
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        first = broken[0]
        said = f"{len(broken)} of {len(findings)} statements are not so, first: {first.what} is claimed as {first.claimed:.17g}, and {first.found:.17g} was found."
        return Checked(False, said, tuple(findings))
    rate = conclusions["contraction"]
    return Checked(
        True,
        f"Gradient descent from these floats converges: ‖e(τ)‖ ≤ (1 − {rate:.6g})^τ ‖Y‖, within {numbers['s']:.6g} of W(0) over all "
        f"neurons; also if its steps are rounded by up to {numbers['omega']:.3g} in sum.",
        tuple(findings),
    )


class _Malformed(ValueError):
    """What a certificate may not hold."""


def _word(content: dict, name: str, words) -> str:
    if content.get(name) not in words:
        raise _Malformed(f"{name} is not one of {', '.join(words)}")
    return content[name]


def _numbers(content: dict, part: str, names) -> dict:
    found = content.get(part)
    if not isinstance(found, dict) or set(found) != set(names):
        raise _Malformed(f"{part} does not hold exactly {', '.join(names)}")
    return {name: _matrix(name, value) if name in ("X", "y", "W", "a") else _number(name, value) for name, value in found.items()}  # fmt: skip


def _number(name: str, value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Malformed(f"{name} is no finite number")
    if float(value) != value:
        raise _Malformed(f"{name} is no float")
    return float(value)


def _matrix(name: str, value) -> list[list[float]]:
    if not isinstance(value, list) or not value or not all(isinstance(row, list) and row for row in value):
        raise _Malformed(f"{name} is no matrix")
    rows = [[_number(name, entry) for entry in row] for row in value]
    if len({len(row) for row in rows}) != 1:
        raise _Malformed(f"{name} has rows of several lengths")
    return rows


class _Floats:
    """The floats of a certificate, as exact numbers; of a coupled network one neuron of each pair, counted twice."""

    def __init__(self, network: str, init: str, numbers: dict):
        X, y, W, a = (numbers[name] for name in ("X", "y", "W", "a"))
        self.n, self.d_in, self.d, self.m = len(X), len(X[0]), len(y[0]), len(W[0])
        if len(y) != self.n or len(W) != self.d_in or len(a) != self.d or len(a[0]) != self.m:
            raise _Malformed("the shapes of X, y, W and a do not fit")
        if any(abs(sign) != 1 for row in a for sign in row):
            raise _Malformed("a sign is not ±1")
        self.times = 1
        if init == "coupled":
            same = all(row[r] == row[r + 1] for row in W for r in range(0, self.m - 1, 2))
            opposite = all(row[r] == -row[r + 1] for row in a for r in range(0, self.m - 1, 2))
            if self.m % 2 or not (same and opposite):
                raise _Malformed(
                    "the neurons of a pair do not share w with opposite signs, so F(W(0)) = 0 is not known"
                )
            W, a, self.times = [row[::2] for row in W], [row[::2] for row in a], 2
        self.coupled, self.network = init == "coupled", network
        self.X, self.y, self.W, self.a = (arb_mat([[arb(v) for v in row] for row in rows]) for rows in (X, y, W, a))
        self.rows = X
        self.kinds = len(W[0])
        self.s, self.eta, self.omega, self.keep = (arb(numbers[name]) for name in ("s", "eta", "omega", "keep"))
        for name, good in (("s", self.s > 0), ("eta", self.eta > 0), ("omega", 0 <= self.omega < self.s), ("keep", 0 < self.keep < 1)):  # fmt: skip
            if not good:
                raise _Malformed(f"{name} is out of range")


def _at_start(given: _Floats, claimed: dict) -> list[Finding]:
    """The numbers at W(0) against what is claimed."""
    n, d, m = given.n, given.d, given.m
    gram = given.X * given.X.transpose()
    lengths = [gram[i, i].sqrt() for i in range(n)]
    longest = _most(lengths)
    logits = given.X * given.W
    zero = arb(0)
    mean, weight, rate, half = [[zero] * d for _ in range(n)], zero, zero, [[zero] * given.kinds for _ in range(n)]
    if given.network == "softmax":
        squares = []
        for i in range(n):
            exps = [logits[i, r].exp() for r in range(given.kinds)]
            mass = sum(exps, zero) * given.times
            half[i] = [m * each / mass for each in exps]
            squares.append(sum((q * q for q in half[i]), zero) * given.times / (m * m))
            if not given.coupled:
                mean[i] = [sum((q * given.a[k, r] for r, q in enumerate(half[i])), zero) / m for k in range(d)]
        slope = bend = half
        weight = _most([q for row in half for q in row])
        rate = _most([length * (1 + square).sqrt() for length, square in zip(lengths, squares, strict=True)])
    else:
        slope = [[_slope(given.network, logits[i, r]) for r in range(given.kinds)] for i in range(n)]
        bend = slope if given.network == "exponential" else [[BOUNDED[given.network]()] * given.kinds for _ in range(n)]
        rate = longest if given.network == "exponential" else zero
    G = arb_mat([[slope[i][r] * (given.a[k, r] - mean[i][k]) for r in range(given.kinds)] for i in range(n) for k in range(d)])  # fmt: skip
    product = G * G.transpose()
    H = [[product[p, q] * gram[p // d, q // d] * given.times / m for q in range(n * d)] for p in range(n * d)]
    low, top, sharp = (arb(claimed[name]) for name in ("lambda", "norm", "sharpness"))
    size = sum((given.y[i, k] ** 2 for i in range(n) for k in range(d)), zero).sqrt()
    means = _most([sum((each**2 for each in row), zero).sqrt() for row in mean])
    return [
        Finding(
            "λ_min(H(0)) ≥ λ", claimed["lambda"], _pivot(H, low, 1), claimed["lambda"] > 0 and _pivot(H, low, 1) > 0
        ),
        Finding("‖H(0)‖ ≤ norm", claimed["norm"], _pivot(H, top, -1), _pivot(H, top, -1) > 0),
        _at_most("‖Y‖ ≤ size", size, claimed["size"]),
        _at_most("‖x_i‖ ≤ longest", longest, claimed["longest"]),
        _at_most("‖f_i‖ ≤ mean", means, claimed["mean"]),
        _at_most("κ ≤ weight", weight, claimed["weight"]),
        _at_most("ν ≤ rate", rate, claimed["rate"]),
        _sharp(given, bend, gram, sharp),
    ]


def _at_most(what: str, found, claimed: float) -> Finding:
    return Finding(what, claimed, float(found.upper()), bool(found <= arb(claimed)))


def _most(values):
    top = values[0]
    for value in values[1:]:
        top = top.max(value)
    return top


def _slope(network: str, u):
    if network == "exponential":
        return u.exp()
    if network == "tanh":
        return 1 - u.tanh() ** 2
    s = 1 / (1 + (-u).exp())
    return s * (1 - s) if network == "sigmoid" else s + u * s * (1 - s)


def _pivot(H: list, shift, sign: int) -> float:
    """A lower bound on the smallest pivot of ±(H − shift I) eliminated in balls: above 0 only if every member of
    that ball matrix is positive definite."""
    size = len(H)
    A = [[sign * (H[p][q] - (shift if p == q else 0)) for q in range(p + 1)] for p in range(size)]
    least = math.inf
    for k in range(size):
        pivot = A[k][k]
        least = min(least, float(pivot.lower())) if pivot.is_finite() else -math.inf
        if not pivot > 0:
            return min(least, 0.0)
        column = [A[p][k] for p in range(k + 1, size)]
        for p in range(k + 1, size):
            share = column[p - k - 1] / pivot
            row = A[p]
            for q in range(k + 1, p + 1):
                row[q] -= share * column[q - k - 1]
    return least


def _sharp(given: _Floats, bend: list, gram, claimed) -> Finding:
    """B² p ≥ D K₂ D p entry by entry for some p > 0, for each neuron."""
    n, kinds = given.n, given.kinds
    near = np.array([[float(value.mid()) for value in row] for row in bend])
    X = np.array(given.rows)
    squares = (X @ X.T) ** 2
    p = np.ones_like(near)
    for _ in range(POWER):
        p = near * (squares @ (near * p))
        p = p / p.max(axis=0, keepdims=True) + 1e-7
    K2 = arb_mat([[gram[i, j] ** 2 for j in range(n)] for i in range(n)])
    weighted = K2 * arb_mat([[bend[i][r] * arb(float(p[i, r])) for r in range(kinds)] for i in range(n)])
    quotients = [bend[i][r] * weighted[i, r] / arb(float(p[i, r])) for i in range(n) for r in range(kinds)]
    return _at_most("B ≤ sharpness", _most(quotients).sqrt(), float(claimed.mid()))


def _hypotheses(given: _Floats, bounds: dict, claimed: dict) -> list[Finding]:
    """The hypotheses of Theorem 5 and Proposition 6, from the claimed numbers."""
    k = {name: arb(value) for name, value in bounds.items()}
    c = {name: arb(value) for name, value in claimed.items()}
    s, eta, omega, m, d = given.s, given.eta, given.omega, arb(given.m), arb(given.d)
    root, nu = (m * k["lambda"]).sqrt(), k["rate"]
    amplitude = d.sqrt() * (1 + k["longest"] * s * ((nu * s).exp() * k["weight"] / m).sqrt()) + k["mean"]
    bend = amplitude * k["sharpness"]
    kept = root - bend * _stretch(nu, s)
    reach = (m * k["norm"]).sqrt() + bend * _stretch(nu, s)
    theta = eta * (reach**2 + bend * (nu * s).exp() * (k["size"] + reach * omega)) / 2
    spent = (1 - c["theta"]) * (root * (s - omega) - bend * (_twice(nu, s) - _twice(nu, omega)))
    return [
        _at_least("p(s) ≥ kept", kept, claimed["kept"]),
        _at_most("P ≤ reach", reach, claimed["reach"]),
        _at_most("θ ≤ theta", theta, claimed["theta"]),
        _at_least("(1−θ)∫p ≥ spent", spent, claimed["spent"]),
        _at_least("(1−θ)η p(s)² ≥ contraction", (1 - c["theta"]) * eta * c["kept"] ** 2, claimed["contraction"]),
        _condition("1: p(s) ≥ √(keep · mλ)", c["kept"], (given.keep * m * k["lambda"]).sqrt(), c["kept"] > 0),
        _condition("2: θ < 1", arb(1), c["theta"], c["theta"] < 1),
        _condition("3: (1−θ)∫p ≥ ‖Y‖ + Pω", c["spent"], k["size"] + c["reach"] * omega, True),
    ]


def _at_least(what: str, found, claimed: float) -> Finding:
    return Finding(what, claimed, float(found.lower()), bool(found >= arb(claimed)))


def _condition(what: str, large, small, also) -> Finding:
    return Finding(what, float(large.mid()), float(small.mid()), bool(large >= small) and bool(also))


def _stretch(nu, t):
    return t if nu == 0 else (nu * t).expm1() / nu


def _twice(nu, t):
    return t * t / 2 if nu == 0 else ((nu * t).expm1() - nu * t) / nu**2
