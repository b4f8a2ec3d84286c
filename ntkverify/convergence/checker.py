"""Verifying a certificate of convergence, by code that shares nothing with what made it but the file.

Everything is computed again from the floats of the file, in Arb's balls of `BITS` bits: the kernel at
W(0) and that λ_min and ‖H‖ are as claimed (interval Cholesky factors of H − λI and ‖H‖I − H), the constants of
docs/proofs/convergence.md (Collatz–Wielandt quotients for B), then the hypotheses of Theorem 5 and
Proposition 6 from the claimed numbers.  The format is described in docs/certificates.md, and what is not of this
format, key by key, type by type and range by range, is rejected before anything is computed.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from pathlib import Path

import numpy as np
from flint import arb, arb_mat, ctx

from ntkverify.ground.errors import BadInput

BITS = 128
SCHEMA = 1
KEYS = ("schema", "kind", "network", "init", "floats", "bounds", "conclusions", "origin", "digest")
"""What a certificate holds, beside `launch`, which may be absent."""
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
MATRICES = ("X", "y", "W", "a")
BELOW = {"keep": 1.0, "theta": 1.0, "contraction": 0.5}
"""What a number lies below; the contraction, because (1−θ)ηp(s)² < (1−θ)ηP² ≤ 2θ(1−θ) ≤ ½."""
MAY_VANISH = ("omega", "size", "mean", "weight", "rate", "spent")
"""Numbers that may be 0 (Y = 0, exact steps, and what only softmax has); the others are above it, as λ > 0 is."""
DEEPEST, LONGEST, BYTES, ENTRIES, WORK = 16, 100_000, 2**29, 10**7, 10**11
"""Levels of nesting, steps of a launch, length of the file, numbers of an array, and `_work`: about an hour."""


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


def check(path: Path, heard: Callable[[int, int], None] = lambda done, total: None) -> Checked:
    """Verify the certificate in a file; `BadInput` if it is no certificate.  `heard(done, total)` is told of the
    steps that a later start is followed for."""
    content, as_written = _read(path)
    if not as_written:
        return Checked(
            False,
            "It was changed after it was written: its text is not what writing its content gives, every key once and every number in its shortest form.",
            (),
        )
    before = ctx.prec
    ctx.prec = BITS
    try:
        return _checked(content, heard)
    finally:
        ctx.prec = before


def _read(path: Path) -> tuple[dict, bool]:
    """The content, and whether the text is the one that writing it gives."""
    wanted, attempt = "a certificate that ntkverify realise wrote", "ntkverify realise"
    try:
        if path.stat().st_size > BYTES:
            raise BadInput(f"{path} has more than {BYTES} bytes", wanted, "a smaller certificate")
        text = path.read_text("utf-8")
        content = json.loads(text, parse_constant=_no_number)
        if _deep(content):
            raise BadInput(f"{path} has more than {DEEPEST} levels of nesting", wanted, attempt)
        as_written = json.dumps(content) == text.strip()
    except BadInput:
        raise
    except FileNotFoundError:
        raise BadInput(f"no file {path}", wanted, attempt) from None
    except (OSError, ValueError, RecursionError):
        raise BadInput(f"{path} is damaged or not JSON", wanted, attempt) from None
    if not isinstance(content, dict) or content.get("kind") != "convergence":
        raise BadInput(f"{path} is no certificate", wanted, attempt)
    if type(content.get("schema")) is not int or content["schema"] != SCHEMA:
        raise BadInput(f"{path} is of another version", f"schema {SCHEMA}", attempt)
    return content, as_written


def _no_number(word: str):
    raise ValueError(word)


def _deep(content) -> bool:
    """Whether lists and objects lie within each other deeper than any certificate's."""
    layer = [content]
    for _ in range(DEEPEST):
        layer = [inner for each in layer if isinstance(each, dict | list) for inner in (each.values() if isinstance(each, dict) else each)]  # fmt: skip
    return bool(layer)


def digest(content: dict) -> str:
    """SHA-256 of everything but the digest, as JSON with sorted keys."""
    rest = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _checked(content: dict, heard) -> Checked:
    if content.get("digest") != digest(content):
        return Checked(False, "It was changed after it was written: its content does not match its digest.", ())
    try:
        if set(content) - {"launch"} != set(KEYS) or not isinstance(content["origin"], dict):
            raise _Malformed(f"it does not hold exactly {', '.join(KEYS)}, and launch where there is one")
        network, init = _word(content, "network", NETWORKS), _word(content, "init", INITS)
        numbers, bounds, conclusions = (
            _numbers(content, part, names)
            for part, names in (("floats", FLOATS), ("bounds", BOUNDS), ("conclusions", CONCLUSIONS))
        )
        steps, start = _launch(content, numbers)
        given = _Floats(network, init, numbers, steps)
    except _Malformed as error:
        return Checked(False, f"It is malformed: {error}.", ())
    followed = _followed(given, steps, start, heard) if steps else ()
    look = _Look(given, start, given.coupled and not steps)
    e = look.outputs - _Look(given, given.W, given.coupled).outputs - given.y
    size = _length([e[i, k] for i in range(given.n) for k in range(given.d)])
    findings = [*followed, *_at(look, size, bounds), *_hypotheses(given, bounds, conclusions)]
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        first = broken[0]
        said = f"{len(broken)} of {len(findings)} statements are not so, first: {first.what} is claimed as {first.claimed:.17g}, and {first.found:.17g} was found."
        return Checked(False, said, tuple(findings))
    rate, size, s = _floor(conclusions["contraction"]), _ceiling(bounds["size"]), _ceiling(numbers["s"])
    if steps:
        said = (
            f"Gradient descent from these floats converges: after {steps} steps it is within {_ceiling(numbers['omega'])} of the later start, "
            f"where ‖e‖ ≤ {size}, and from there the error shrinks by 1 − {rate}, within {s} over all neurons."
        )
    else:
        said = (
            f"Gradient descent from these floats converges: ‖e(τ)‖ ≤ (1 − {rate})^τ ‖Y‖, within {s} of W(0) over all "
            f"neurons; steps that are rounded by up to {_floor(numbers['omega'])} in sum stay there too, and add at most "
            f"{_ceiling(conclusions['reach'])} times that sum to the error."
        )
    return Checked(True, said, tuple(findings))


def _floor(number: float) -> str:
    """Six digits, not above the number."""
    return f"{Context(6, ROUND_FLOOR).create_decimal_from_float(number):g}"


def _ceiling(number: float) -> str:
    """Six digits, not below the number."""
    return f"{Context(6, ROUND_CEILING).create_decimal_from_float(number):g}"


def _launch(content: dict, numbers: dict) -> tuple[int, list[list[float]]]:
    """(steps, W) of the later start; (0, W(0)) where there is none."""
    if "launch" not in content:
        return 0, numbers["W"]
    launch = content["launch"]
    if not isinstance(launch, dict) or set(launch) != {"steps", "W"}:
        raise _Malformed("launch does not hold exactly steps, W")
    steps, W = launch["steps"], _matrix("launch W", launch["W"])
    if type(steps) is not int or not 0 < steps <= LONGEST:
        raise _Malformed(f"the steps of the launch are no whole number from 1 to {LONGEST}")
    if (len(W), len(W[0])) != (len(numbers["W"]), len(numbers["W"][0])):
        raise _Malformed("the shape of the launch's W does not fit")
    return steps, W


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
    return {name: _matrix(name, value) if name in MATRICES else _in_range(name, value) for name, value in found.items()}


def _number(name: str, value) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise _Malformed(f"{name} is no finite float")
    return value


def _in_range(name: str, value) -> float:
    low, top = "≤" if name in MAY_VANISH else "<", BELOW.get(name, math.inf)
    if not (0 <= _number(name, value) < top) or (value == 0 and name not in MAY_VANISH):
        raise _Malformed(f"{name} is {value!r}, out of the range 0 {low} {name} < {top:g}")
    return value


def _matrix(name: str, value) -> list[list[float]]:
    if not isinstance(value, list) or not value or not all(isinstance(row, list) and row for row in value):
        raise _Malformed(f"{name} is no matrix")
    rows = [[_number(name, entry) for entry in row] for row in value]
    if len({len(row) for row in rows}) != 1:
        raise _Malformed(f"{name} has rows of several lengths")
    return rows


class _Floats:
    """The floats of a certificate, as exact numbers."""

    def __init__(self, network: str, init: str, numbers: dict, steps: int):
        X, y, W, a = (numbers[name] for name in MATRICES)
        self.n, self.d, self.m, self.network = len(X), len(y[0]), len(W[0]), network
        if len(y) != self.n or len(W) != len(X[0]) or len(a) != self.d or len(a[0]) != self.m:
            raise _Malformed("the shapes of X, y, W and a do not fit")
        most, work = _work(self.n, len(W), self.d, self.m, steps)
        if most > ENTRIES or work > WORK:
            raise _Malformed(
                f"it is too large to be checked: arrays of {most:.3g} numbers, about {work:.3g} operations, more than {ENTRIES:.0e} or {WORK:.0e}"
            )
        if any(abs(sign) != 1 for row in a for sign in row):
            raise _Malformed("a sign is not ±1")
        if init == "coupled":
            same = all(row[r] == row[r + 1] for row in W for r in range(0, self.m - 1, 2))
            opposite = all(row[r] == -row[r + 1] for row in a for r in range(0, self.m - 1, 2))
            if self.m % 2 or not (same and opposite):
                raise _Malformed(
                    "the neurons of a pair do not share w with opposite signs, so F(W(0)) = 0 is not known"
                )
        self.coupled, self.W, self.a = init == "coupled", W, a
        self.X, self.y = _exact(X), _exact(y)
        self.gram = self.X * self.X.transpose()
        self.near = np.array(X)
        self.s, self.eta, self.omega, self.keep = (arb(numbers[name]) for name in ("s", "eta", "omega", "keep"))
        if not self.omega < self.s:
            raise _Malformed("omega is not below s")


def _work(n: int, d_in: int, d: int, m: int, steps: int) -> tuple[int, int]:
    """The numbers of the largest array, and about the operations on balls that checking takes."""
    nd = n * d
    return max(nd, d_in) * max(nd, m), (steps + 2) * nd * m * (nd + d_in + 50) + nd**3


def _exact(rows: list[list[float]]):
    return arb_mat([[arb(value) for value in row] for row in rows])


class _Look:
    """The network at one W: outputs, Gram matrix and the constants of the lemmas.

    Of a network of pairs one neuron of each pair is looked at and counts twice; its mean is 0.
    """

    def __init__(self, given: _Floats, W: list[list[float]], paired: bool):
        self.given, self.paired = given, paired
        step, self.times = (2, 2) if paired else (1, 1)
        self.a = _exact([row[::step] for row in given.a])
        W = [row[::step] for row in W]
        self.kinds, n, d, m, zero = len(W[0]), given.n, given.d, given.m, arb(0)
        logits = given.X * _exact(W)
        lengths = [given.gram[i, i].sqrt() for i in range(n)]
        self.longest = _most(lengths)
        self.mean, self.weight = [[zero] * d for _ in range(n)], zero
        if given.network == "softmax":
            squares, self.slope = [], []
            for i in range(n):
                exps = [logits[i, r].exp() for r in range(self.kinds)]
                mass = sum(exps, zero) * self.times
                q = [m * each / mass for each in exps]
                self.slope.append(q)
                squares.append(sum((each * each for each in q), zero) * self.times / (m * m))
            self.bend = self.slope
            self.weight = _most([q for row in self.slope for q in row])
            self.rate = _most([length * (1 + square).sqrt() for length, square in zip(lengths, squares, strict=True)])
            values = self.slope
        else:
            at = [[logits[i, r] for r in range(self.kinds)] for i in range(n)]
            values = [[_value(given.network, u) for u in row] for row in at]
            self.slope = [[_slope(given.network, u) for u in row] for row in at]
            grows = given.network == "exponential"
            self.bend = self.slope if grows else [[BOUNDED[given.network]()] * self.kinds for _ in range(n)]
            self.rate = self.longest if grows else zero
        self.outputs = arb_mat(n, d) if paired else arb_mat(values) * self.a.transpose()
        if given.network == "softmax" and not paired:
            self.mean = [[self.outputs[i, k] / m for k in range(d)] for i in range(n)]

    def kernel(self) -> list[list]:
        """H."""
        n, d = self.given.n, self.given.d
        G = arb_mat([
            [self.slope[i][r] * (self.a[k, r] - self.mean[i][k]) for r in range(self.kinds)] for i in range(n) for k in range(d)
        ])  # fmt: skip
        product, share = G * G.transpose(), arb(self.times) / self.given.m
        return [[product[p, q] * self.given.gram[p // d, q // d] * share for q in range(n * d)] for p in range(n * d)]

    def sharpness(self):
        """B, by Collatz's quotients at positive vectors that need not be right."""
        n, X = self.given.n, self.given.near
        near = np.array([[float(value.mid()) for value in row] for row in self.bend])
        with np.errstate(all="ignore"):
            squares, p = (X @ X.T) ** 2, np.ones_like(near)
            for _ in range(POWER):
                p = near * (squares @ (near * p))
                p = p / p.max(axis=0, keepdims=True) + 1e-7
        p = np.where((p > 0) & np.isfinite(p), p, 1.0)  # Collatz asks for no more
        K2 = arb_mat([[self.given.gram[i, j] ** 2 for j in range(n)] for i in range(n)])
        weighted = K2 * arb_mat(
            [[b * arb(float(v)) for b, v in zip(self.bend[i], p[i], strict=True)] for i in range(n)]
        )
        return _most([self.bend[i][r] * weighted[i, r] / arb(float(p[i, r])) for i in range(n) for r in range(self.kinds)]).sqrt()  # fmt: skip

    def means(self):
        """max_i ‖f_i‖."""
        return _most([_length(row) for row in self.mean])

    def pulled(self, e):
        """Jᵀe, for all neurons."""
        n, d = self.given.n, self.given.d
        pull = e * self.a
        inner = [sum((e[i, k] * self.mean[i][k] for k in range(d)), arb(0)) for i in range(n)]
        return self.given.X.transpose() * arb_mat([
            [self.slope[i][r] * (pull[i, r] - inner[i]) for r in range(self.kinds)] for i in range(n)
        ])  # fmt: skip


def _length(values):
    """The Euclidean length; a sum of squares is not negative, whatever its ball says."""
    return sum((value * value for value in values), arb(0)).nonnegative_part().sqrt()


def _at(look: _Look, size, claimed: dict) -> list[Finding]:
    """The numbers at the start against what is claimed."""
    H, low, top = look.kernel(), arb(claimed["lambda"]), arb(claimed["norm"])
    under, over = _pivot(H, low, 1), _pivot(H, top, -1)
    return [
        Finding(
            "λ_min(H) ≥ λ (smallest pivot of H − λI)", claimed["lambda"], under, claimed["lambda"] > 0 and under > 0
        ),
        Finding("‖H‖ ≤ norm (smallest pivot of norm I − H)", claimed["norm"], over, over > 0),
        _at_most("‖e‖ ≤ size", size, claimed["size"]),
        _at_most("‖x_i‖ ≤ longest", look.longest, claimed["longest"]),
        _at_most("‖f_i‖ ≤ mean", look.means(), claimed["mean"]),
        _at_most("κ ≤ weight", look.weight, claimed["weight"]),
        _at_most("ν ≤ rate", look.rate, claimed["rate"]),
        _at_most("B ≤ sharpness", look.sharpness(), claimed["sharpness"]),
    ]


def _followed(given: _Floats, steps: int, end: list[list[float]], heard) -> tuple[Finding, Finding]:
    """Theorem 7: exact gradient descent after `steps` steps against the point `end`, along floats of our own; given up
    where a hypothesis is lost on the way, since neither number becomes smaller again."""
    W, d, fastest = given.W, arb(0), arb(0)
    shift = _Look(given, W, given.coupled).outputs
    for step in range(steps):
        look = _Look(given, W, False)
        e = look.outputs - shift - given.y
        size = _length([e[i, k] for i in range(given.n) for k in range(given.d)])
        frobenius = _length([entry for row in look.kernel() for entry in row])
        C = _amplitude(arb(given.d), look.longest, look.weight, look.rate, look.means(), arb(given.m), d) * look.sharpness() * (look.rate * d).exp()  # fmt: skip
        P = (given.m * frobenius).sqrt() + C * d
        E = size + P * d
        fastest = fastest.max(given.eta * (P * P + C * E))
        after = _exact(W) - given.eta * look.pulled(e)
        W = [[float(after[k, r].mid()) for r in range(given.m)] for k in range(len(W))]
        error = _length([abs(after[k, r] - arb(W[k][r])).upper() for k in range(len(W)) for r in range(given.m)])
        d = arb(((1 + given.eta * C * E) * d + error).upper())
        heard(step + 1, steps)
        if not (fastest <= 2 and d <= given.omega):
            break
    away = _length(
        [arb(x) - arb(y) for row, other in zip(W, end, strict=True) for x, y in zip(row, other, strict=True)]
    )
    return (
        Finding("η(P² + CE) ≤ 2 on the way", 2.0, float(fastest.upper()), bool(fastest <= 2)),
        _at_most("distance of exact gradient descent from the later start ≤ ω", d + away, float(given.omega.mid())),
    )


def _amplitude(d, longest, weight, rate, mean, m, s):
    return d.sqrt() * (1 + longest * s * ((rate * s).exp() * weight / m).sqrt()) + mean


def _at_most(what: str, found, claimed: float) -> Finding:
    return Finding(what, claimed, float(found.upper()), bool(found <= arb(claimed)))


def _most(values):
    top = values[0]
    for value in values[1:]:
        top = top.max(value)
    return top


def _value(network: str, u):
    if network == "exponential":
        return u.exp()
    if network == "tanh":
        return u.tanh()
    s = 1 / (1 + (-u).exp())
    return s if network == "sigmoid" else u * s


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


def _hypotheses(given: _Floats, bounds: dict, claimed: dict) -> list[Finding]:
    """The hypotheses of Theorem 5 and Proposition 6, from the claimed numbers."""
    k = {name: arb(value) for name, value in bounds.items()}
    c = {name: arb(value) for name, value in claimed.items()}
    s, eta, omega, m, d = given.s, given.eta, given.omega, arb(given.m), arb(given.d)
    root, nu = (m * k["lambda"]).sqrt(), k["rate"]
    bend = _amplitude(d, k["longest"], k["weight"], nu, k["mean"], m, s) * k["sharpness"]
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
