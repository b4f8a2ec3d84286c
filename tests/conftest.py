"""Tests run in float64, with strict promotion, shapes checked at every call, warnings as errors."""

import contextlib
import functools
import html
import inspect
import io
import math
import os
import re
from importlib.resources import files
from pathlib import Path

import jax
from jaxtyping import install_import_hook

import ntkverify

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
PACKAGE = Path(ntkverify.__file__).parent
UNCHECKED = {
    "api",
    "questions",
    "networks.arguments",
    *(f"diffusion.{name}" for name in ("sampler", "scores", "learned_score")),
}
"""They read what callers hand over, of whatever type, and say themselves what is wrong with it."""
MODULES = [".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py")]
install_import_hook([f"ntkverify.{name}" for name in MODULES if name not in UNCHECKED], "beartype.beartype")

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402

from ntkverify import catalogue  # noqa: E402
from ntkverify.cli import main as cli  # noqa: E402
from ntkverify.ground.programs import keep_programs, make_room  # noqa: E402
from ntkverify.ground.results import load  # noqa: E402
from ntkverify.ground.rounding import above, below  # noqa: E402
from ntkverify.networks.nouns import Dataset  # noqa: E402
from ntkverify.networks.problems import problem  # noqa: E402
from ntkverify.report import page as page_of  # noqa: E402

keep_programs()


@pytest.fixture(autouse=True)
def as_found():
    """The command line sets JAX's precision for the whole process; the next test has the tests' again, and room."""
    global held
    yield
    jax.config.update("jax_enable_x64", True)
    make_room()
    if resident() > held + 2**30:  # compiled programs pile up
        jax.clear_caches()
        held = resident()


held = 2**29


def resident() -> int:
    """Bytes that this process holds; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


SHAPES = {"attention": (3, 4), "softmax-heads": (3, 4), "patches": (3, 4)}
"""Of the inputs of networks that read no vectors."""


def make(network="softmax", n=6, d_in=4, d_out=2, m=64, spread=None, seed=0, **options):
    """A problem on the sphere, or, with `spread`, on inputs that lie close together (λ small)."""
    shape = SHAPES.get(network, ())
    d_in = math.prod(shape) if shape else d_in
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d_in)), rng.standard_normal((n, d_out))
    if spread is not None:
        X = rng.standard_normal(d_in) + spread * X
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    return problem(Dataset("test", X, y, "made by the tests", shape=shape), catalogue.network(network), m=m, **options)[
        0
    ]


def two_points(m: int):
    """Two orthonormal inputs: convergence is certified from m = 12 on."""
    data = Dataset("test", np.eye(2), np.asarray([[1.0], [-1.0]]), "made by the tests")
    return problem(data, catalogue.network("softmax"), m=m, sigma=0.5)[0]


def in_float32(tree):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32), tree)


CASES = {
    "generic": lambda: make(n=8, d_in=8, m=256),
    # Close inputs and small weights: there the perturbation bounds are nearly attained.
    "clustered": lambda: make(n=8, d_in=8, m=256, spread=0.01, sigma=0.1),
    # A ball in which the network changes entirely.
    "far": lambda: make(n=8, d_in=8, m=256, radius=1.0),
}
"""Problems of one shape, so that they share compilations."""
RELU_CASES = {
    # Spread inputs and many neurons: there the widths that are asked for are nearly reached.
    "generic": lambda: make("relu", n=4, d_in=16, d_out=1, m=4096),
    "clustered": lambda: make("relu", n=4, d_in=16, d_out=1, m=4096, spread=0.1, sigma=0.1),
    "far": lambda: make("relu", n=4, d_in=16, d_out=1, m=4096, radius=1.0),
}
"""The same for claims that speak of ReLU alone."""
CRITERIA_CASES = {"orthonormal": lambda: two_points(256)}
"""For criteria that are met at widths that no other problem has."""


def cases(claim: str) -> dict:
    """The problems that a claim is tested on."""
    if claim in catalogue.THEOREMS["criteria"]:
        return CRITERIA_CASES
    return RELU_CASES if catalogue.claims(claim)[0].statement.networks == "relu" else CASES


_SMALL = ["--data", "sphere", "--n", "4", "--d-in", "4", "--d-out", "2", "--m", "16"]
_GRID = ["network=softmax", "init=coupled", "m=8,16,32", "n=2", "d_in=4", "d_out=1", "seeds=2"]
RUNS = {
    "verify": ["verify", "kernel-perturbation", "zero-output", *_SMALL, "--seeds", "20"],
    "certify": ["certify", "kernel-entries", *_SMALL, "--seeds", "2"],
    "falsify": ["falsify", "kernel-entries", *_SMALL, "--budget", "0.1"],
    "realise": ["realise", "--data", "orthonormal", "--n", "3"],
    "study": ["study", "drift", "--grid", *_GRID],
}
"""A small run of each verb that writes a folder."""
PRINTED = "printed.json"
"""In such a run's folder, what `--json` printed."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The folder of a verb's run, made once for all processes of tests."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    @functools.cache
    def of(verb: str) -> Path:
        path = shared / "runs" / verb
        path.parent.mkdir(exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not (path / PRINTED).exists():
                with contextlib.redirect_stdout(io.StringIO()) as printed:
                    assert cli.main([*RUNS[verb], "--out", str(path), "--json"]) == 0
                (path / PRINTED).write_text(printed.getvalue(), encoding="utf-8")
        return path

    return of


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def alike(one, other) -> bool:
    """Whether two tables or sentences say the same, numbers to one unit of the last digit that is printed: another
    machine's LAPACK rounds elsewhere."""
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if not isinstance(one, str):
        return one == pytest.approx(other)
    return NUMBER.split(one) == NUMBER.split(other) and all(map(_near, NUMBER.findall(one), NUMBER.findall(other)))


def _near(one: str, other: str) -> bool:
    digits, _, power = one.partition("e")
    unit = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(float(one) - float(other)) <= 1.01 * unit


def numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", text))


def numbers_of(run) -> set[str]:
    """Numbers that a folder's report prints and neither its results nor the template hold."""
    page = re.sub(r"<(style|svg|math|pre)\b.*?</\1>", " ", (run / "report.html").read_text(), flags=re.DOTALL)
    held = set()

    def gather(value):
        if isinstance(value, dict):
            [gather(part) for part in (*value, *value.values())]
        elif isinstance(value, list):
            [gather(part) for part in value]
        elif isinstance(value, str):
            held.update(numbers(value))
        elif isinstance(value, int | float):
            held.update((str(value), f"{value:.3g}", f"{value:.2f}"))
            if math.isfinite(value):
                held.update((below(float(value), 2), above(float(value), 3).lstrip("-")))

    gather(load(run))
    template = files("ntkverify.report").joinpath("templates/report.html").read_text("utf-8") + inspect.getsource(
        page_of
    )
    text = html.unescape(re.sub(r"<[^>]*>", " ", page)).replace("e−", "e-")
    return numbers(text) - held - numbers(template)
