"""A point of a claim on disk, .npz: what `falsify` writes and `check` reads.

The file holds every float of the problem and the point, the claim's name, form and constants, and a
digest over all of it, so that an edited file is told from a damaged one.
"""

import dataclasses
import io
import json
import math
import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.arithmetic.arb import FIFTY_DIGITS
from ntkverify.certifying.decision import Decision, decide
from ntkverify.ground.archive import digest
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.results import write
from ntkverify.networks.models import fitted
from ntkverify.networks.nouns import COUPLED, Model, Network, Params, Point, Problem
from ntkverify.networks.setting import rank
from ntkverify.statements.claim import Claim

SCHEMA = 1
_PROBLEM = ("X", "y", "sigma", "delta", "radius")
_POINT = ("W", "a", "moved_W", "moved_a", "probe")


def save_point(path: Path, claim: Claim, problem: Problem, point: Point, note: dict, name: str = "") -> None:
    """Write the point; `note` is plain JSON about where it comes from, `name` the file of a user's own claim."""
    arrays = {name: np.asarray(getattr(problem, name), np.float64) for name in _PROBLEM}
    values = (point.base.W, point.base.a, point.moved.W, point.moved.a, point.probe)
    arrays |= {name: np.asarray(value, np.float64) for name, value in zip(_POINT, values, strict=True)}
    about = {
        "schema": SCHEMA, "claim": name or claim.id, "form": claim.form, "network": _named(problem.network),
        "shape": list(problem.network.shape), "network_digest": getattr(problem.network, "digest", ""),
        "init": problem.init, "width": problem.m, "constants": dict(claim.constants), "note": note,
    }  # fmt: skip
    about["digest"] = digest(about, arrays)
    packed = io.BytesIO()
    np.savez_compressed(packed, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    write(path, packed.getvalue())


def _named(network: Network) -> str:
    """The name by which the register finds it again; `BadInput` for a model that lies in no file."""
    if isinstance(network, Model):
        if not network.source:
            raise BadInput(f"a point of {network.name}", "a network from a file", "nv.network('mine.py')")
        return network.source
    return network.name


def load_point(path: Path) -> tuple[Claim, Problem, Point, dict]:
    """The claim's form, the problem, the point and the note; `BadInput` for anything but a whole, unedited
    file of this version."""
    wanted, attempt = "a point that ntkverify wrote", "ntkverify falsify again"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in (*_PROBLEM, *_POINT)}
            about = json.loads(str(stored["about"]))
    except FileNotFoundError:
        raise BadInput(f"no file {path}", wanted) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BadInput(f"{path} is damaged or not a point ({type(error).__name__})", wanted, attempt) from None
    if not isinstance(about, dict) or about.get("schema") != SCHEMA:
        raise BadInput(f"{path} is of another version", f"schema {SCHEMA}", attempt)
    if about.pop("digest", None) != digest(about, arrays):
        raise BadInput(f"{path} was edited: its content does not match its digest", wanted, attempt)
    forms = {form.form: form for form in catalogue.claims(about["claim"])}
    form = forms[choose("form", about["form"], forms)]
    if dict(form.constants) != about["constants"]:
        raise BadInput(f"{path} is of another version: the claim's constants have changed", wanted, attempt)
    X, y, sigma, delta, radius = (jnp.asarray(arrays[name]) for name in _PROBLEM)
    W, a, moved_W, moved_a, probe = (jnp.asarray(arrays[name]) for name in _POINT)
    shape = about.get("shape", [])
    if not isinstance(shape, list) or any(type(length) is not int or length < 1 for length in shape):
        raise BadInput(f"{path} gives inputs the shape {shape!r}", wanted, attempt)
    if shape and math.prod(shape) != X.shape[1]:
        raise BadInput(f"{path} gives inputs of {X.shape[1]} numbers the shape {shape}", wanted, attempt)
    network, width = catalogue.network(about["network"]), about.get("width", W.shape[1])
    if type(width) is not int or width < 1:
        raise BadInput(f"{path} gives the width {width!r}", wanted, attempt)
    if getattr(network, "digest", "") != about.get("network_digest", ""):
        raise BadInput(
            f"{path} speaks of another {about['network']}, which has changed since",
            "the network's file as it was",
            attempt,
        )
    if isinstance(network, Model):
        coupled, dtype = about["init"] == COUPLED, np.dtype(np.float64)
        network = fitted(network, arrays["X"], arrays["y"], tuple(shape), width, coupled, dtype)
        fits = network.size == W.shape[0]
    else:
        network = dataclasses.replace(network, shape=tuple(shape))
        fits = network.neuron is None or network.neuron.size(network.shape or X.shape[1:]) == W.shape[0]
    if not fits:
        raise BadInput(f"{path} holds {W.shape[0]} weights a neuron", wanted, attempt)
    problem = Problem(
        X=X, y=y, sigma=sigma, delta=delta, radius=radius, network=network,
        init=about["init"], m=width, rank=rank(arrays["X"]),
    )  # fmt: skip
    return form, problem, Point(Params(W, a), Params(moved_W, moved_a), probe), about["note"]


def check_point(path: Path) -> tuple[Claim, Decision]:
    """The verb `check` of a point: the claim's form, and what 50 digits decide of it there, without the search."""
    form, problem, point, _ = load_point(path)
    return form, decide(form, problem, point, FIFTY_DIGITS)
