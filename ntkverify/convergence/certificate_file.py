"""The file certificate.json: its keys, types, ranges and limits, as docs/certificates.md describes them.

Reading it needs nothing of what made it.  What is not of this format, key by key, type by type and range by range,
is rejected before anything is computed.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ntkverify.convergence.neurons import NEURONS
from ntkverify.ground.errors import BadInput

SCHEMA = 1
KEYS = ("schema", "kind", "network", "init", "floats", "bounds", "conclusions", "origin", "digest")
"""What a certificate holds, beside `launch` and `shape` (of an input that is no vector), which may be absent."""
OF_LOGITS = ("softmax", "softmax-bias", "exponential", "tanh", "sigmoid", "swish", "softplus", "gelu", "erf")
NETWORKS = (*OF_LOGITS, *NEURONS)
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
Matrix = list[list[float]]


class Malformed(ValueError):
    """What a certificate may not hold."""


@dataclass(frozen=True)
class Claimed:
    """What a certificate says, every type, range and shape being right."""

    network: str
    init: str
    floats: dict
    """The matrices X (n, d_in), y (n, d), W (d_in, m) and a (d, m), and the numbers s, η, ω and keep."""
    bounds: dict[str, float]
    conclusions: dict[str, float]
    steps: int
    """Of the launch; 0 where there is none."""
    base: Matrix
    """W of the later start, and W(0) where there is none."""
    shape: tuple[int, ...]
    """Of one input; (d_in,) where it is a vector."""


def read(path: Path) -> tuple[dict, bool]:
    """The content, and whether the text is the one that writing it gives; `BadInput` if it is no certificate."""
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


def parsed(content: dict) -> Claimed:
    """What the content says; `Malformed` where it is not of this format, or too large to be checked."""
    if set(content) - {"launch", "shape"} != set(KEYS) or not isinstance(content["origin"], dict):
        raise Malformed(f"it does not hold exactly {', '.join(KEYS)}, and launch where there is one")
    network, init = _word(content, "network", NETWORKS), _word(content, "init", INITS)
    floats, bounds, conclusions = (
        _numbers(content, part, names)
        for part, names in (("floats", FLOATS), ("bounds", BOUNDS), ("conclusions", CONCLUSIONS))
    )
    steps, base = _launch(content, floats)
    shape = _shape(content, len(floats["X"][0]))
    neuron = NEURONS.get(network)
    p = neuron.size(shape) if neuron else shape[0] if len(shape) == 1 else 0
    _fit(floats, steps, p, neuron.work(shape) if neuron and p else (1, 0, 0))
    _signs(floats, init)
    if not floats["omega"] < floats["s"]:
        raise Malformed("omega is not below s")
    return Claimed(network, init, floats, bounds, conclusions, steps, base, shape)


def _launch(content: dict, floats: dict) -> tuple[int, Matrix]:
    """(steps, W) of the later start; (0, W(0)) where there is none."""
    if "launch" not in content:
        return 0, floats["W"]
    launch = content["launch"]
    if not isinstance(launch, dict) or set(launch) != {"steps", "W"}:
        raise Malformed("launch does not hold exactly steps, W")
    steps, W = launch["steps"], _matrix("launch W", launch["W"])
    if type(steps) is not int or not 0 < steps <= LONGEST:
        raise Malformed(f"the steps of the launch are no whole number from 1 to {LONGEST}")
    if (len(W), len(W[0])) != (len(floats["W"]), len(floats["W"][0])):
        raise Malformed("the shape of the launch's W does not fit")
    return steps, W


def _shape(content: dict, d_in: int) -> tuple[int, ...]:
    """Of one input."""
    found = content.get("shape", [d_in])
    if not isinstance(found, list) or not found or any(type(length) is not int or length < 1 for length in found):
        raise Malformed("shape is no list of whole numbers of at least 1")
    if math.prod(found) != d_in:
        raise Malformed("shape does not hold as many numbers as an input")
    return tuple(found)


def _fit(floats: dict, steps: int, p: int, neuron: tuple[int, int, int]) -> None:
    """The shapes fit each other, with p weights a neuron, and checking them ends; `neuron`: `neurons.Neuron.work`."""
    X, y, W, a = (floats[name] for name in MATRICES)
    if len(y) != len(X) or len(W) != p or len(a) != len(y[0]) or len(a[0]) != len(W[0]):
        raise Malformed("the shapes of X, y, W and a do not fit")
    inner, value, bound = neuron
    most, work = _work(len(X), max(len(W), len(X[0])), len(y[0]), inner * len(W[0]), steps)
    work += len(X) * (bound + (steps + 2) * len(W[0]) * value)
    if most > ENTRIES or work > WORK:
        raise Malformed(
            f"it is too large to be checked: arrays of {most:.3g} numbers, about {work:.3g} operations, more than {ENTRIES:.0e} or {WORK:.0e}"
        )


def _work(n: int, d_in: int, d: int, m: int, steps: int) -> tuple[int, int]:
    """The numbers of the largest array, and about the operations on balls that checking takes."""
    nd = n * d
    return max(nd, d_in) * max(nd, m), (steps + 2) * nd * m * (nd + d_in + 50) + nd**3


def _signs(floats: dict, init: str) -> None:
    """Signs are ±1, and neurons of a coupled start are pairs."""
    W, a = floats["W"], floats["a"]
    if any(abs(sign) != 1 for row in a for sign in row):
        raise Malformed("a sign is not ±1")
    if init == "coupled":
        m = len(a[0])
        same = all(row[r] == row[r + 1] for row in W for r in range(0, m - 1, 2))
        opposite = all(row[r] == -row[r + 1] for row in a for r in range(0, m - 1, 2))
        if m % 2 or not (same and opposite):
            raise Malformed("the neurons of a pair do not share w with opposite signs, so F(W(0)) = 0 is not known")


def _word(content: dict, name: str, words: Sequence[str]) -> str:
    if content.get(name) not in words:
        raise Malformed(f"{name} is not one of {', '.join(words)}")
    return content[name]


def _numbers(content: dict, part: str, names: Sequence[str]) -> dict:
    found = content.get(part)
    if not isinstance(found, dict) or set(found) != set(names):
        raise Malformed(f"{part} does not hold exactly {', '.join(names)}")
    return {name: _matrix(name, value) if name in MATRICES else _in_range(name, value) for name, value in found.items()}


def _number(name: str, value) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise Malformed(f"{name} is no finite float")
    return value


def _in_range(name: str, value) -> float:
    low, top = "≤" if name in MAY_VANISH else "<", BELOW.get(name, math.inf)
    if not (0 <= _number(name, value) < top) or (value == 0 and name not in MAY_VANISH):
        raise Malformed(f"{name} is {value!r}, out of the range 0 {low} {name} < {top:g}")
    return value


def _matrix(name: str, value) -> Matrix:
    if not isinstance(value, list) or not value or not all(isinstance(row, list) and row for row in value):
        raise Malformed(f"{name} is no matrix")
    rows = [[_number(name, entry) for entry in row] for row in value]
    if len({len(row) for row in rows}) != 1:
        raise Malformed(f"{name} has rows of several lengths")
    return rows
