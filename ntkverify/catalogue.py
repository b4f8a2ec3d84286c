"""The only register.  A new item is one file and one line here; the contract tests then cover it.

Claims stand by theorem, in the order of its proof, and are named, not imported: what they state is read from their
files, so that listing them starts at once and without JAX.
"""

import ast
import fnmatch
import functools
import importlib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ntkverify.ground.errors import SHORT, BadInput, choose, told
from ntkverify.ground.own_files import Own, digest_of, execute
from ntkverify.statements.docstring import Statement, read

if TYPE_CHECKING:
    from ntkverify.networks.nouns import Network, TwoLayer
    from ntkverify.statements.claim import Claim

THEOREMS = {
    "softmax": (
        "gradient-formula", "zero-output", "output-bound", "exponents", "softmax-range", "kappa-bound",
        "softmax-perturbation", "projection-perturbation", "projection-bound", "gradient-bound",
        "kernel-entries", "kernel-norm", "kernel-perturbation", "jacobian-perturbation", "convex-region",
        "linearised-output", "neuron-sum", "loss-identity", "step-terms", "movement", "eigenvalue-kept",
        "contraction", "convergence", "score-width",
    ),
    "kernel": ("kernel-factorisation", "positive-semidefinite", "rank-floor", "kernel-limit"),
    "descent": ("step-expansion", "kernel-step", "path-length"),
    "certificate": ("curvature", "weight-growth", "jacobian-growth", "step-decrease", "witness-step"),
    "criteria": ("liu", "oymak", "bartlett", "chatterjee", "theorem-five"),
    "denoising": ("score-regression", "denoising-loss"),
    "eigenvalue": ("taylor-floor", "power-floor", "closest-pair", "separated-data"),
    "relu": ("initial-kernel", "kernel-stability", "relu-movement", "relu-convergence", "label-measure", "logistic-movement"),
    "prefix": ("prefix-attention",),
}  # fmt: skip
"""Theorem, a folder of `claims/` → its claims, in the order of its proof."""
CLAIMS = tuple(itertools.chain(*THEOREMS.values()))
NETWORKS = {
    "softmax": ("softmax", "SOFTMAX", "logits smooth normalised series softmax"),
    "exponential": ("exponential", "EXPONENTIAL", "logits smooth series"),
    "relu": ("relu", "RELU", "logits series relu"),
    "relu-sum": ("relu", "RELU_SUM", "logits series relu"),
    "sigmoid": ("sigmoid", "SIGMOID", "logits smooth"),
    "tanh": ("tanh", "TANH", "logits smooth"),
    "swish": ("swish", "SWISH", "logits smooth"),
    "softplus": ("softplus", "SOFTPLUS", "logits smooth"),
    "gelu": ("gelu", "GELU", "logits smooth"),
    "erf": ("erf", "ERF", "logits smooth series"),
    "softmax-bias": ("bias", "SOFTMAX_BIAS", "logits smooth normalised series softmax"),
    "gated": ("gated", "GATED", ""),
    "patches": ("patches", "PATCHES", "smooth"),
    "attention": ("attention", "ATTENTION", "smooth"),
    "softmax-heads": ("softmax_heads", "SOFTMAX_HEADS", "smooth normalised"),
}
"""Network name → (module, record, its kinds beside `any` and `two-layer`, which networks/kinds.py computes)."""
INPUTS = ("sphere", "pairs", "orthonormal", "digits", "digits-rows", "digits-patches", "tokens", "iris", "diabetes")
DATA_FILES = {
    ".npz": "arrays X (n, d_in) and y (n, d_out)",
    ".csv": "comma-separated numbers, the last --d-out columns being y",
    ".tsv": "the same separated by tabs",
}
"""Suffix of a data file → what it holds."""
CONVERSIONS = {".npy": "numpy.savez('mine.npz', X=X, y=y)", ".txt": "numpy.savetxt('mine.csv', table, delimiter=',')"}
"""Suffix of a file that is not read → how to make one that is."""
STUDIES = (
    "drift", "width", "steps", "region", "table1", "frontier", "separation", "expressivity", "diffusion", "convex",
)  # fmt: skip
POPULATIONS = ("mixture", "gaussian", "moons", "swissroll", "digits")
"""What a diffusion model can learn: distributions whose denoiser is known exactly."""
KERNELS = {
    "closed-form": ("closed_form", "closed_form"),
    "shared-products": ("shared_products", "shared_products"),
    "jacobian-contraction": ("neural_tangents", "jacobian_contraction"),
    "ntk-vector-products": ("neural_tangents", "ntk_vector_products"),
    "structured-derivatives": ("neural_tangents", "structured_derivatives"),
    "autodiff": ("autodiff", "autodiff"),
    "infinite-width": ("infinite_width", "infinite_width"),
}
"""Route → (module, function); the functions share one signature, (problem, params) → (nd, nd)."""


def statements(name: str) -> dict[str, Statement]:
    """What a claim states, by form, read from its file without running it.

    `name` is a claim of the catalogue, or a file of the same form, NAME.py.
    """
    if not own(name):
        _known_claim(name)
        source = _folder(theorem_of(name)) / f"{_file(name)}.py"
        return read(ast.get_docstring(ast.parse(source.read_text("utf-8")), clean=False) or "")
    try:
        found = read(ast.get_docstring(ast.parse(Path(name).read_text("utf-8")), clean=False) or "")
    except OSError:
        raise BadInput(f"no file {name}", "a claim's file", "ntkverify new claim") from None
    except (SyntaxError, ValueError) as error:
        raise BadInput(
            f"{name}: {error}", "a claim's file like those in ntkverify/claims/", "ntkverify new claim"
        ) from None
    if not found:
        raise BadInput(f"{name} states no form", "a docstring with [derived] or [reconstructed]", "ntkverify new claim")
    return found


@dataclass(frozen=True)
class Theorem:
    """Claims that belong together."""

    name: str
    title: str
    about: str
    """What it says, and where it comes from."""
    claims: tuple[str, ...]


def theorem(name: str) -> Theorem:
    """A theorem of the shelf, its title and what it says read from its folder."""
    choose("theorem", name, THEOREMS)
    said = ast.get_docstring(ast.parse((_folder(name) / "__init__.py").read_text("utf-8"))) or ""
    title, _, about = said.partition("\n")
    return Theorem(name, title, " ".join(about.split()), THEOREMS[name])


def theorem_of(claim: str) -> str:
    """The theorem to which a claim of the catalogue belongs."""
    return next(name for name, claims in THEOREMS.items() if claim in claims)


def expanded(names: Iterable[str]) -> tuple[str, ...]:
    """Claims and files as they are; a theorem, a pattern or a source as the claims that it means; each once.

    `BadInput` for a pattern that no claim matches, and for a file whose claim has the name of another one, since what is found
    of a claim is kept by its name; what is unknown stays, and `statements` refuses it.

    >>> expanded(["Lemma 5.1", "kernel-n*"])
    ('kernel-perturbation', 'kernel-norm')
    """
    found = tuple(dict.fromkeys(itertools.chain(*map(_meant, names))))
    known: dict[str, str] = {}
    for name in found:
        other = known.setdefault(id_of(name), name)
        if other != name:
            raise BadInput(f"{other} and {name}, both the claim {id_of(name)}", "claims with names of their own", "another name for a file")  # fmt: skip
    return found


def id_of(name: str) -> str:
    """The name by which what is found of a claim is kept."""
    return Path(name).stem.replace("_", "-") if own(name) else name


def one(name: str) -> str:
    """The one claim, or file, that a name means; `BadInput` if there are several."""
    found = expanded([name])
    if len(found) == 1:
        return found[0]
    them = ": " + ", ".join(found) if len(found) <= SHORT else f" that `ntkverify list {name!r}` lists"
    raise BadInput(f"{name}, which is {len(found)} claims", f"one of those{them}", found[0])


def _meant(name: str) -> tuple[str, ...]:
    if name in THEOREMS:
        return THEOREMS[name]
    if own(name) or name in CLAIMS:
        return (name,)
    if set(name) & set("*?["):
        found = tuple(fnmatch.filter(CLAIMS, name.lower()))
        if not found:
            raise BadInput(f"{name!r}, which no claim matches", "a pattern of names that `ntkverify list` lists", "'kernel-*'")  # fmt: skip
        return found
    return _from(name) or (name,)


def _from(source: str) -> tuple[str, ...]:
    """The claims whose source names it: Lemma 5.1, lemma-5.1, arXiv:2405.03251."""
    said = _words(source)
    if not re.search(r"\d", said) or (" " not in said and "." not in said):
        return ()
    return tuple(
        claim
        for claim in CLAIMS
        if any(f" {said} " in f" {_words(statement.source)} " for statement in statements(claim).values())
    )


def _words(text: str) -> str:
    return " ".join(word.strip(".") for word in re.findall(r"[a-z0-9.§]+", text.lower()))


def speaks_of(networks: str, network: str) -> bool:
    """Whether a claim about such networks (the word of its file) says something of this one.

    A user's file is not executed: it may be anything, so only what is said of any network is known to be said of it.
    """
    return networks == "any" or (not own(network) and networks in ("two-layer", *NETWORKS[network][2].split()))


def _file(name: str) -> str:
    return name.replace("-", "_")


def _folder(theorem: str) -> Path:
    return Path(__file__).parent / "claims" / _file(theorem)


def _known_claim(name: str) -> str:
    if name in THEOREMS:
        raise BadInput(f"{name}, which is a theorem", f"a claim that `ntkverify list {name}` lists", THEOREMS[name][0])
    if name not in CLAIMS:
        choose("claim", name, (*CLAIMS, *THEOREMS), "ntkverify list")
    return name


def own(name: str) -> bool:
    """Whether a claim or a network is a user's file."""
    return name.endswith(".py")


def claims(name: str) -> "tuple[Claim, ...]":
    """The executable forms of a claim, in the order in which it states them.  A user's file is executed."""
    return _own_claims(name) if own(name) else _claims(_known_claim(name))


@functools.cache
def _claims(name: str) -> "tuple[Claim, ...]":
    return _bound(name, statements(name), _module(name))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"ntkverify.claims.{_file(theorem_of(name))}.{_file(name)}")


def _own_claims(name: str) -> "tuple[Claim, ...]":
    stated, path, attempt = statements(name), Path(name).resolve(), "ntkverify new claim"
    module = executed(path, attempt).module  # each time: it may read what no digest of programs knows
    try:
        return _bound(id_of(name), stated, module)
    except ValueError as error:
        old = " but CLAIMS, as lemma files for ntkverify 0.1 did" if hasattr(module, "CLAIMS") else ""
        raise BadInput(f"{name} {error}{old}", BOUND, attempt) from None


def _bound(id: str, stated: dict[str, Statement], module: ModuleType) -> "tuple[Claim, ...]":
    return importlib.import_module("ntkverify.statements.claim").bind(id, stated, vars(module))  # needs JAX


def network(name: str) -> "Network":
    """The network of that name, or of a user's file, NAME.py, which is executed."""
    if own(name):
        return _own_network(name)
    return two_layer(name)


def two_layer(name: str) -> "TwoLayer":
    """The network of that name."""
    module, record, _ = NETWORKS[choose("network", name, NETWORKS)]
    return getattr(importlib.import_module(f"ntkverify.networks.activations.{module}"), record)


def known_network(name: str) -> None:
    """`BadInput` for a name that is neither a network's nor that of a file that is there."""
    if not own(name) and name not in NETWORKS:
        try:
            choose("network", name, NETWORKS, "ntkverify verify --help")
        except BadInput as error:
            raise BadInput(error.given, f"{error.wanted}, or a file NAME.py", error.attempt) from None
    if own(name) and not _there(name):
        raise BadInput(f"no file {name}", "a network's file", "ntkverify new network")


def _there(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # a name that no file can have
        return False


_KNOWN: "dict[Path, tuple[Own, Network]]" = {}
"""One record for one content, so that compiled programs are shared."""


def _own_network(name: str) -> "Network":
    known_network(name)
    path = Path(name).resolve()
    known = _KNOWN.get(path)
    if known is None or digest_of(known[0].files) != known[0].digest:
        own = executed(path, "ntkverify new network")
        read_model = importlib.import_module("ntkverify.networks.models").read
        _KNOWN[path] = own, read_model(path.stem.replace("_", "-"), str(path), vars(own.module), own.digest)
    return _KNOWN[path][1]


def executed(path: Path, attempt: str) -> Own:
    """A user's file, executed; `BadInput` with what it raised."""
    try:
        return execute(path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the user's code raises
        absent = error.name or "" if isinstance(error, ImportError) else ""
        if absent.startswith("ntkverify.") and absent != "ntkverify.lemma":
            said = f"{path.name}: {error}; lemma files for ntkverify 0.1 imported so"
            raise BadInput(said, BOUND, attempt) from None
        raise BadInput(f"{path.name} {told(error)}", "a file that runs", attempt) from None


BOUND = "`from ntkverify.lemma import Form` and so on, and a line such as `derived = Form(lhs, rhs)`"
"""What binds a lemma's forms."""


def is_file(data: str) -> bool:
    """Whether the data set's name is that of a file."""
    return Path(data).suffix.lower() in DATA_FILES


def input_module(name: str) -> str:
    """The module that loads a data set, or a file when the name has a file's suffix."""
    if is_file(name):
        return "file"
    suffix = Path(name).suffix.lower()
    if not suffix:
        return choose("data set", name, INPUTS).replace("-", "_")
    wanted = "; ".join(f"{known} with {content}" for known, content in DATA_FILES.items())
    attempt = CONVERSIONS.get(suffix, "DataFrame.to_csv('mine.csv', index=False)")
    raise BadInput(f"data file {name}", f"a data set's name, or a file: {wanted}", attempt)


def load_input(name: str):
    """The loader of a data set or file: (name, n, d_in, d_out, seed) → Dataset."""
    return importlib.import_module(f"ntkverify.networks.inputs.{input_module(name)}").load


def population(name: str):
    """The loader of a population: (d, components, seed) → Population."""
    choose("data set", name, POPULATIONS)
    return importlib.import_module(f"ntkverify.truths.populations.{name}").load


def kernel(route: str):
    """The function of a kernel route."""
    module, function = KERNELS[choose("kernel route", route, KERNELS)]
    return getattr(importlib.import_module(f"ntkverify.networks.kernels.{module}"), function)


def study(name: str, preset: str):
    """The module of a study; `BadInput` if it or its preset is unknown."""
    module = importlib.import_module(f"ntkverify.studies.{known_study(name)}")
    choose("preset", preset, module.PRESETS)
    return module


def known_study(name: str) -> str:
    """The name, or `BadInput`."""
    return choose("study", name, STUDIES, "ntkverify study --help")


def question(study: str) -> tuple[str, str]:
    """What a study asks, and a command that asks it: TITLE and EXAMPLE of its file, read without running it."""
    tree = ast.parse((Path(__file__).parent / "studies" / f"{study}.py").read_text("utf-8"))
    said = {
        ast.unparse(each.targets[0]): str(each.value.value)
        for each in tree.body
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
    }
    return said["TITLE"], said["EXAMPLE"]
