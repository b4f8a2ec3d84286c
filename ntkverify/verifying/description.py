"""An instance, described: its λ, the spectra of its kernels, and its kernel routes against each other."""

from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.ground.devices import alone
from ntkverify.ground.numerics import SHOWN_AS_ZERO, full_precision, unit_roundoff
from ntkverify.ground.settings import Settings
from ntkverify.judging.draws import chunks
from ntkverify.networks.degenerate import why_zero
from ntkverify.networks.kernels.infinite_width import infinite_width, sample_kernel
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.kernels.neural_tangents import BridgeError, library
from ntkverify.networks.nouns import Params, Problem, TwoLayer
from ntkverify.networks.points import DIRECTIONS
from ntkverify.verifying.instances import Instance
from ntkverify.verifying.kernels import LIMIT, compare

DRAWN = "drawn"
SHOWN = 96
"""Rows and columns of a kernel that are kept for its picture."""


@dataclass
class Description:
    """What is said of an instance beside its claims."""

    row: dict
    """The instance's row, with λ."""
    kernels: list[dict] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    """"<problem>/kernel/<route>" and "<problem>/eigenvalues/<H(0) by draw, or the limit>"."""
    left_out: str = ""
    """Which kernel routes this installation lacks, and why."""


def describe(instance: Instance, settings: Settings) -> Description:
    """λ of the first draws and of the limit, and the routes compared in the run's precision and in float32."""
    row, problem = instance
    count, points = next(chunks(problem, settings.seeds, settings.seed, mesh=alone()))
    base, tilted = (
        jax.tree.map(lambda leaf: leaf[:, DIRECTIONS.index("sign-aligned")], params)
        for params in (points.base, points.moved)
    )
    spectra = np.asarray(_spectra(problem, base))[:count]
    smallest = np.sort(spectra[:, 0])
    routes, left_out = _finite_routes(problem)
    found = Description(
        row
        | {
            "lambda": _number(float(np.median(smallest))),
            "lambda_range": [_number(float(smallest[0])), _number(float(smallest[-1]))],
            "lambda_draws": count,
            "lambda_note": why_zero(problem) if np.median(smallest) == 0 else "",
            "lambda_inf": None,
            "limit_error": None,
        },
        left_out=left_out,
    )
    found.arrays[f"{row['id']}/eigenvalues/{DRAWN}"] = spectra
    limit = infinite_width if isinstance(problem.network, TwoLayer) else None  # no limit of a user's model is known
    if limit is not None:
        K, error = jax.jit(sample_kernel)(problem)
        values = np.asarray(_cleared(jnp.linalg.eigvalsh(K)))
        found.row |= {"lambda_inf": _number(float(values[0])), "limit_error": _number(float(error))}
        found.arrays[f"{row['id']}/eigenvalues/{LIMIT}"] = np.repeat(values, problem.d_out)
    for dtype in dict.fromkeys((settings.dtype, "float32")):
        first = jax.tree.map(lambda leaf: leaf[0], (tilted, base))
        cast, (moved, start) = _cast((problem, first), dtype)
        compared, kernels, failed = compare(cast, moved, start, routes, limit, settings.seed)
        found.left_out = "; ".join(dict.fromkeys([*filter(None, [found.left_out]), *failed]))
        found.kernels += [{"problem": row["id"]} | each for each in compared]
        if dtype == settings.dtype:
            shown = slice(None, SHOWN)
            found.arrays |= {f"{row['id']}/kernel/{route}": kernel[shown, shown] for route, kernel in kernels.items()}
    return found


def _cast(tree, dtype: str):
    return jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


def _finite_routes(problem: Problem) -> tuple[dict[str, Callable], str]:
    """The routes of this network that this installation can run, the one without Jacobians first, and why others are left
    out."""
    names, left_out = [name for name in catalogue.KERNELS if name != LIMIT], ""
    if not isinstance(problem.network, TwoLayer):
        names = ["autodiff", *(name for name in names if catalogue.KERNELS[name][0] == "neural_tangents")]
    try:
        library()
    except BridgeError as error:
        bridged = [name for name in names if catalogue.KERNELS[name][0] == "neural_tangents"]
        names = [name for name in names if name not in bridged]
        left_out = f"kernel routes {' and '.join(bridged)}: {error}"
    return {name: catalogue.kernel(name) for name in names}, left_out


@jax.jit
@full_precision
def _spectra(problem: Problem, draws: Params):
    """The eigenvalues of each draw's H, ascending."""
    return jax.lax.map(lambda params: _cleared(jnp.linalg.eigvalsh(kernel(problem, params))), draws)


def _cleared(values):
    """Eigenvalues, those below the routine's own error set to zero."""
    error = SHOWN_AS_ZERO * values.shape[-1] * unit_roundoff(values.dtype) * jnp.sqrt(jnp.sum(values**2))
    return jnp.where(jnp.abs(values) <= error, 0, values)


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
