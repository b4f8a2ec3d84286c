"""A trained network as it comes: a .npz file with W and a, or arrays."""

import hashlib
import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Params, Problem

WANTED = "W (d_in, m) and a (d_out, m), real numbers, the entries of a 1 or −1"


def weights(path: Path) -> Params:
    """The network in a file."""
    attempt = 'numpy.savez("weights.npz", W=W, a=a)'
    try:
        with np.load(path, allow_pickle=False) as file:
            if missing := [name for name in ("W", "a") if name not in file]:
                raise BadInput(f"{path} without {' and '.join(missing)}", WANTED, attempt)
            W, a = file["W"], file["a"]
    except BadInput:
        raise
    except FileNotFoundError:
        raise BadInput(f"no file {path}", f"a .npz file with {WANTED}", attempt) from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise BadInput(f"{path} is damaged or no .npz file", f"a .npz file with {WANTED}", attempt) from None
    return network(W, a)


def network(W, a) -> Params:
    """The network of two arrays, or the only one of a batch; `BadInput` for anything else."""
    W, a = (array[0] if np.ndim(array) == 3 and len(array) == 1 else array for array in (W, a))
    W, a = _real("W", W), _real("a", a)
    if W.shape[1] != a.shape[1]:
        raise BadInput(f"W of {W.shape[1]} neurons and a of {a.shape[1]}", WANTED)
    if not (np.abs(a) == 1).all():
        raise BadInput(
            "an entry of a that is not ±1",
            WANTED,
            "output weights of another size taken into y or W, where the network allows it",
        )
    return Params(jnp.asarray(W, jnp.float64), jnp.asarray(a, jnp.float64))


def trained(problem: Problem, params: Params) -> Params:
    """What a caller hands over for a trained network of these data."""
    if not (hasattr(params, "W") and hasattr(params, "a")):
        raise BadInput(f"params = {type(params).__name__}", "what nv.draw gave, or the `last` of nv.train", "run.last")
    start = network(params.W, params.a)
    fitting(problem, start)
    return start


def _real(name: str, array) -> np.ndarray:
    """The numbers in float64, which has to have them exactly."""
    array = np.asarray(array)
    real = np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)
    if array.ndim != 2 or 0 in array.shape or not real:
        raise BadInput(f"{name} is {array.dtype}{list(array.shape)}", WANTED)
    if not np.isfinite(array).all():
        raise BadInput(f"{name} holds NaN or an infinite number", WANTED, "weights from before it diverged")
    found = array.astype(np.float64)
    if not (np.isfinite(found).all() and (found.astype(array.dtype) == array).all()):
        raise BadInput(
            f"{name} of {array.dtype}, in numbers that float64 does not have", WANTED, f"{name}.astype(float)"
        )
    return found


def digest_of(net: Params) -> str:
    """Eight hex digits by which the weights are known."""
    content = hashlib.sha256()
    for array in (net.W, net.a):
        content.update(f"{array.shape}".encode() + np.asarray(array, np.float64).tobytes())
    return content.hexdigest()[:8]


def fitting(problem: Problem, start: Params) -> None:
    """`BadInput` where the network is not one for these data."""
    found, wanted = (start.W.shape[0], start.a.shape[0]), (problem.p, problem.d_out)
    if found != wanted:
        raise BadInput(
            "weights W ({}, m) and a ({}, m)".format(*found), "W ({}, m) and a ({}, m) for these data".format(*wanted),
            "the data and --d-out that they were trained with",
        )  # fmt: skip
