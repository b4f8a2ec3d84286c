"""The files certificate.json and certificate.bin: keys, types, ranges and limits, as docs/certificates.md describes them.

The second has the arrays, as they lie in memory; the first says their shapes and the digest of those bytes.  Reading them needs
nothing of what made them.  What is not of this format, key by key, type by type and range by range, is rejected before
anything is computed.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ntkverify.checking.neurons import NEURONS
from ntkverify.ground.errors import BadInput

SCHEMA = 2
KEYS = ("schema", "kind", "network", "start", "numbers", "arrays", "bounds", "conclusions", "origin", "digest")
"""What a certificate holds, beside `launch`, `witness` and `shape` (of an input that is no vector), which may be absent."""
OF_LOGITS = ("softmax", "softmax-bias", "exponential", "tanh", "sigmoid", "swish", "softplus", "gelu", "erf")
NETWORKS = (*OF_LOGITS, *NEURONS)
NORMALISED = ("softmax", "softmax-heads")
"""Networks whose neurons are under a softmax, where a 1 in x makes no difference."""
STARTS = ("coupled", "independent", "trained")
"""W(0) in pairs (F_0 = 0) or drawn apart (F_0 = F(W(0))), or a point that somebody trained (F_0 = 0)."""
NUMBERS = ("s", "eta", "omega", "keep")
BOUNDS = ("lambda", "norm", "size", "longest", "mean", "weight", "sharpness", "rate")
CONCLUSIONS = ("kept", "theta", "spent", "reach", "contraction")
MATRICES = ("X", "y", "W", "a")
LATER, WITNESS = "later", "witness"
"""The matrices of a launch and of a witness, in a certificate that has one."""
BESIDE = ("away", "off")
"""What is claimed of a witness: ‖W* − W‖ and ‖F(W*) − F_0 − Y‖."""
BINARY = ".bin"
BELOW = {"keep": 1.0, "theta": 1.0, "contraction": 0.5}
"""What a number lies below; the contraction, because (1−θ)ηp(s)² < (1−θ)ηP² ≤ 2θ(1−θ) ≤ ½."""
MAY_VANISH = ("omega", "size", "mean", "weight", "rate", "spent", *BESIDE)
"""Numbers that may be 0 (Y = 0, exact steps, and what only softmax has); the others are above it, as λ > 0 is."""
DEEPEST, LONGEST, BYTES, BINARY_BYTES = 16, 200_000, 2**20, 2**32
"""Levels of nesting, steps of a launch, lengths of the two files."""


class Malformed(ValueError):
    """What a certificate may not hold."""


@dataclass(frozen=True)
class Claimed:
    """What a certificate says, every type, range and shape being right."""

    network: str
    start: str
    arrays: dict[str, np.ndarray]
    """X (n, d_in), y (n, d), W (p, m) and a (d, m)."""
    numbers: dict[str, float]
    """s, η, ω and keep."""
    bounds: dict[str, float]
    conclusions: dict[str, float]
    steps: int
    """Of the launch; 0 where there is none."""
    base: np.ndarray
    """W of the later start, and W(0) where there is none."""
    centre: np.ndarray
    """W of the witness, and `base` where there is none."""
    beside: dict[str, float]
    """What is claimed of the witness; empty where there is none."""
    shape: tuple[int, ...]
    """Of one input; (d_in,) where it is a vector."""


def read(path: Path) -> tuple[dict, bytes, bool]:
    """The content, the bytes of the arrays, and whether the text is the one that writing it gives; `BadInput` if it is no
    certificate."""
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
    return content, _bytes(path.with_suffix(BINARY)), as_written


def _bytes(path: Path) -> bytes:
    wanted, attempt = "the arrays that ntkverify realise wrote beside certificate.json", "copying both files"
    try:
        if path.stat().st_size > BINARY_BYTES:
            raise BadInput(f"{path} has more than {BINARY_BYTES} bytes", wanted, "a smaller certificate")
        return path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"no file {path}", wanted, attempt) from None
    except OSError:
        raise BadInput(f"{path} cannot be read", wanted, attempt) from None


def packed(arrays: Mapping[str, np.ndarray]) -> tuple[dict, bytes]:
    """What the content says of the arrays, and their bytes: numbers of 64 bits, the lowest byte first, in C's order, one
    array after the other."""
    arrays = {name: np.ascontiguousarray(array, "<f8") for name, array in arrays.items()}
    content = b"".join(array.tobytes() for array in arrays.values())
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    return {"shapes": shapes, "sha256": hashlib.sha256(content).hexdigest()}, content


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


def parsed(content: dict, binary: bytes) -> Claimed:
    """What the two files say; `Malformed` where that is not of this format."""
    if set(content) - {"launch", "shape", "witness"} != set(KEYS) or not isinstance(content["origin"], dict):
        raise Malformed(f"it does not hold exactly {', '.join(KEYS)}, and launch and witness where there is one")
    network, start = _word(content, "network", NETWORKS), _word(content, "start", STARTS)
    numbers, bounds, conclusions = (
        _numbers(content, part, names)
        for part, names in (("numbers", NUMBERS), ("bounds", BOUNDS), ("conclusions", CONCLUSIONS))
    )
    steps, beside = _launch(content), _numbers(content, "witness", BESIDE) if "witness" in content else {}
    arrays = _arrays(content, binary, (*MATRICES, *[LATER] * bool(steps), *[WITNESS] * bool(beside)))
    base = arrays.pop(LATER, arrays["W"])
    centre = arrays.pop(WITNESS, base)
    shape = _shape(content, arrays["X"].shape[1])
    neuron = NEURONS.get(network)
    _fit(arrays, (base, centre), neuron.size(shape) if neuron else shape[0] if len(shape) == 1 else 0)
    _signs(arrays, start)
    if not numbers["omega"] < numbers["s"]:
        raise Malformed("omega is not below s")
    return Claimed(network, start, arrays, numbers, bounds, conclusions, steps, base, centre, beside, shape)


def _launch(content: dict) -> int:
    """The steps that lead to the later start; 0 where there is none."""
    if "launch" not in content:
        return 0
    launch = content["launch"]
    if not isinstance(launch, dict) or set(launch) != {"steps"}:
        raise Malformed("launch does not hold exactly steps")
    steps = launch["steps"]
    if type(steps) is not int or not 0 < steps <= LONGEST:
        raise Malformed(f"the steps of the launch are no whole number from 1 to {LONGEST}")
    return steps


def _arrays(content: dict, binary: bytes, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays, of finite numbers."""
    said = content["arrays"]
    if not isinstance(said, dict) or set(said) != {"shapes", "sha256"} or not isinstance(said["shapes"], dict):
        raise Malformed("arrays does not hold exactly shapes and sha256")
    shapes = said["shapes"]
    if list(shapes) != list(names):
        raise Malformed(f"the arrays are not {', '.join(names)}, in that order")
    for name, shape in shapes.items():
        if (
            not isinstance(shape, list) or len(shape) != 2
            or any(type(length) is not int or not 0 < length < 2**32 for length in shape)
        ):  # fmt: skip
            raise Malformed(f"the shape of {name} is no pair of whole numbers of at least 1")
    if 8 * sum(rows * columns for rows, columns in shapes.values()) != len(binary):
        raise Malformed("the file of arrays is not as long as their shapes say")
    if said["sha256"] != hashlib.sha256(binary).hexdigest():
        raise Malformed("the file of arrays is not the one of which the digest is given")
    found, first = {}, 0
    for name, (rows, columns) in shapes.items():
        array = np.frombuffer(binary, "<f8", rows * columns, first).reshape(rows, columns).astype(np.float64)
        if not np.isfinite(array).all():
            raise Malformed(f"{name} holds what is no finite float")
        found[name], first = array, first + array.nbytes
    return found


def _shape(content: dict, d_in: int) -> tuple[int, ...]:
    """Of one input."""
    found = content.get("shape", [d_in])
    if not isinstance(found, list) or not found or any(type(length) is not int or length < 1 for length in found):
        raise Malformed("shape is no list of whole numbers of at least 1")
    if math.prod(found) != d_in:
        raise Malformed("shape does not hold as many numbers as an input")
    return tuple(found)


def _fit(arrays: dict, points: Sequence[np.ndarray], p: int) -> None:
    """The shapes fit each other, with p weights a neuron."""
    X, y, W, a = (arrays[name] for name in MATRICES)
    if (
        len(y) != len(X)
        or W.shape != (p, a.shape[1])
        or len(a) != y.shape[1]
        or any(point.shape != W.shape for point in points)
    ):
        raise Malformed("the shapes of X, y, W and a do not fit")


def _signs(arrays: dict, start: str) -> None:
    """Signs are ±1, and neurons of a coupled start are pairs."""
    W, a = arrays["W"], arrays["a"]
    if not (np.abs(a) == 1).all():
        raise Malformed("a sign is not ±1")
    if start == "coupled":
        paired = W.shape[1] % 2 == 0 and (W[:, ::2] == W[:, 1::2]).all() and (a[:, ::2] == -a[:, 1::2]).all()
        if not paired:
            raise Malformed("the neurons of a pair do not share w with opposite signs, so F(W(0)) = 0 is not known")


def _word(content: dict, name: str, words: Sequence[str]) -> str:
    if content.get(name) not in words:
        raise Malformed(f"{name} is not one of {', '.join(words)}")
    return content[name]


def _numbers(content: dict, part: str, names: Sequence[str]) -> dict:
    found = content.get(part)
    if not isinstance(found, dict) or set(found) != set(names):
        raise Malformed(f"{part} does not hold exactly {', '.join(names)}")
    return {name: _in_range(name, value) for name, value in found.items()}


def _number(name: str, value) -> float:
    if type(value) is not float or not math.isfinite(value):
        raise Malformed(f"{name} is no finite float")
    return value


def _in_range(name: str, value) -> float:
    low, top = "≤" if name in MAY_VANISH else "<", BELOW.get(name, math.inf)
    if not (0 <= _number(name, value) < top) or (value == 0 and name not in MAY_VANISH):
        raise Malformed(f"{name} is {value!r}, out of the range 0 {low} {name} < {top:g}")
    return value
