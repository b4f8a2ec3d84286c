"""The library's verbs, in the order in which they are used: problem, draw, kernel, train, verify,
study.

`import ntkverify as nv` gives them as `nv.problem` and so on.  Nothing here changes JAX's settings:
64-bit numbers are used when `jax_enable_x64` is on.
"""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify import catalogue
from ntkverify.certificates import certificate
from ntkverify.certifying import certify as decide_drawn
from ntkverify.environment import require_memory
from ntkverify.errors import BadInput, choose
from ntkverify.falsifying import Found
from ntkverify.falsifying import falsify as search
from ntkverify.lemmas import tried
from ntkverify.network import initialise
from ntkverify.nouns import Dataset, Params, Problem
from ntkverify.problems import problem as make_problem
from ntkverify.realising import impossible, smallest_certified
from ntkverify.settings import INITIALISATIONS, Settings
from ntkverify.studying import configuration
from ntkverify.studying import study as run_study
from ntkverify.training import Run, ordinary_step, train_bytes
from ntkverify.training import train as descend_many
from ntkverify.verification import Rows
from ntkverify.verification import verify as run


def problem(
    data: str | tuple = "sphere",
    network: str = "softmax",
    *,
    m: int = 256,
    n: int | None = None,
    d_in: int | None = None,
    d_out: int | None = None,
    init: str = "coupled",
    sigma: float = 1.0,
    delta: float = 0.1,
    radius: float = 0.01,
    scale: bool = True,
    seed: int = 0,
) -> Problem:
    """Data, architecture and scales of a question.

    `data` is a data set's name (sphere, orthonormal, pairs, digits, iris, diabetes), a file (.npz, .csv, .tsv), or a pair of
    arrays X (n, d_in), y (n, d_out).  Rows are divided by the largest norm where it exceeds 1;
    without `scale` such data are refused.  `sigma` is the standard deviation of the initial weights,
    `radius` the R of claims about a ball, both in units of W.  The arrays of the result have JAX's
    default precision.  Raises `BadInput` for anything malformed.  Source: docs/theory.md §1.

    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", m=512, n=8, d_in=4, d_out=2)
    >>> question.X.shape, question.y.shape, question.m
    ((8, 4), (8, 2), 512)
    """
    choose("initialisation", init, INITIALISATIONS)
    checked = Settings(m=m, init=init, sigma=sigma, delta=delta, radius=radius, seed=seed, n=n, d_in=d_in, d_out=d_out)  # type: ignore[arg-type]
    checked.checked()
    if isinstance(data, str):
        dataset = catalogue.load_input(data)(data, n, d_in, d_out, seed)
    else:
        X, y = (np.asarray(part, np.float64) for part in data)
        dataset = Dataset("arrays", X.reshape(len(X), -1), y.reshape(len(y), -1), "arrays given by the caller")
    return make_problem(
        dataset, catalogue.activation(network), m=m, init=init, sigma=sigma, delta=delta, radius=radius, scale=scale,
        dtype=dtype(),
    )[0]  # fmt: skip


def draw(problem: Problem, key: PRNGKeyArray) -> Params:
    """One network at initialisation: W (d_in, m) with N(0, σ²) entries and signs a (d_out, m).

    Exact up to the generator; the same key gives the same network.  Source: docs/theory.md §1.

    >>> import jax
    >>> import ntkverify as nv
    >>> net = nv.draw(nv.problem("sphere", m=512, n=8, d_in=4, d_out=2), jax.random.key(0))
    >>> net.W.shape, net.a.shape
    ((4, 512), (2, 512))
    """
    return initialise(problem, key)


def kernel(problem: Problem, params: Params | None = None, route: str = "closed-form") -> Float[Array, "nd nd"]:
    """The NTK Gram matrix H = J Jᵀ / s_m, an (n·d_out, n·d_out) array, sample slow.

    `route` is closed-form, jacobian-contraction, ntk-vector-products (both of neural-tangents),
    autodiff, or infinite-width, which needs no `params`.  The finite routes agree to about 1e-14 of
    the largest entry in float64 and 1e-6 in float32.  Source: docs/theory.md §2.

    >>> import jax
    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", m=512, n=8, d_in=4, d_out=2)
    >>> net = nv.draw(question, jax.random.key(0))
    >>> H, K = nv.kernel(question, net), nv.kernel(question, route="infinite-width")
    >>> J = nv.kernel(question, net, route="autodiff")
    >>> H.shape, K.shape, bool(abs(H - J).max() < 1e-5 * abs(H).max())
    ((16, 16), (16, 16), True)
    """
    if params is None and route != "infinite-width":
        raise BadInput(f"route {route!r} without params", "a network, for routes at finite width", "nv.draw")
    return catalogue.kernel(route)(problem, params)


def train(
    problem: Problem, start: Params, eta: float | None = None, *, target: float = 0.01, budget: int = 4096
) -> Run:
    """Full-batch gradient descent from one network, or from many (leading axis of `start`), until
    ‖F − Y‖² ≤ `target` or for `budget` steps.

    `eta` is the step size in units of W; the default is 1/(s_m λ_max(H(0))) of each network.  The result
    has `losses` ‖F − Y‖² and `movement` max_r‖w_r(τ) − w_r(0)‖ as (networks, budget + 1) arrays, NaN
    after the end, `last` weights, `snapshots` of W where the loss first falls to `levels` of the first one, with
    `kernels(problem)` there, `outcome` (converged | diverged | unfinished) and `sentence(k)`.
    Batched and single runs agree to rounding.  Source: docs/theory.md §1.

    >>> import jax
    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", m=64, n=4, d_in=8, d_out=1, sigma=0.5)
    >>> run = nv.train(question, nv.draw(question, jax.random.key(0)))
    >>> run.outcome, run.losses[0, 0] > run.losses[0, 1]
    (['converged'], np.True_)
    """
    if not 0 < target < math.inf or budget < 1:
        raise BadInput(f"target {target}, budget {budget}", "a target above 0 and at least one step", "target=0.01")
    seeds = start.W.shape[0] if start.W.ndim == 3 else 1
    require_memory(
        train_bytes(problem, seeds, budget), f"training {seeds} networks of m = {problem.m}", "fewer networks"
    )
    many = start if start.W.ndim == 3 else jax.tree.map(lambda leaf: leaf[None], start)
    steps = jax.lax.map(lambda net: ordinary_step(problem, net), many)
    return descend_many(
        problem, many, steps if eta is None else jnp.full_like(steps, eta), target=target, budget=budget
    )


def study(name: str, folder: str | Path, preset: str = "quick", **grid) -> dict:
    """Run a study as the command line does, resuming what the folder's ledger holds; returns the content
    of results.json (`answer`, `fits`, `tables`, `cells`).

    `grid` changes parameters of the preset: a value, or a sequence of them.  Needs 64-bit numbers.
    Raises `BadInput`.  Source: the docstring of ntkverify/studies/NAME.py.

    >>> import jax, tempfile
    >>> import ntkverify as nv
    >>> jax.config.update("jax_enable_x64", True)
    >>> few = dict(network="softmax", init="coupled", m=(8, 16, 32), n=2, d_in=4, d_out=1, seeds=2)
    >>> found = nv.study("drift", tempfile.mkdtemp(), **few)
    >>> found["complete"], len(found["cells"])
    (True, 6)
    """
    listed = {key: value if isinstance(value, (tuple, list)) else (value,) for key, value in grid.items()}
    config = configuration(name, preset, [f"{key}={','.join(map(str, values))}" for key, values in listed.items()])
    Path(folder).mkdir(parents=True, exist_ok=True)
    return run_study(config, Path(folder))


def verify(claims: Sequence[str] = (), **settings) -> Rows:
    """Check claims (all by default) as the command line does; `settings` are the fields of `Settings`.

    Returns `Rows`: its `claims` are dicts with verdict, sentence, counts and ratios, `results()` is
    the content of results.json, and `save(folder)` writes the files that `ntkverify report` draws.
    Raises `BadInput`.  Source: docs/design.md.

    >>> import ntkverify as nv
    >>> rows = nv.verify(["zero-output"], data="sphere", n=4, d_in=4, d_out=1, m=16, seeds=20, dtype=nv.dtype())
    >>> [(row["id"], row["verdict"]) for row in rows.claims]
    [('zero-output', 'holds')]
    """
    known = [field.name for field in dataclasses.fields(Settings)]
    for name in settings:
        choose("setting", name, known)
    for name in ("data", "network"):
        if isinstance(settings.get(name), str):
            settings[name] = (settings[name],)
    return run(Settings(**settings).checked(), tuple(claims))


def falsify(claim: str, problem: Problem, budget: float = 5.0, form: str = "derived", seed: int = 0) -> Found:
    """Search the worst point of an inequality for `budget` seconds, compiling aside.

    `claim` is a name of the catalogue or a file NAME.py (which is executed).  The result has the `ratio`
    small / large (above 1: a violation), the `problem` and the `point` where it is attained, and the best ratio
    `drawn` without search.  A lower bound on the supremum, in floating point.  Raises `BadInput` for a
    claim without free variables.  Source: docs/design.md.

    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", n=3, d_in=3, d_out=1, m=8, radius=0.1)
    >>> worst = nv.falsify("kernel-entries", question, budget=0.1)
    >>> bool(worst.drawn <= worst.ratio <= 1 + 1e-6)
    True
    """
    if not 0 < budget < math.inf:
        raise BadInput(f"budget {budget}", "a number of seconds above 0", "budget=5")
    forms = {each.form: each for each in catalogue.claims(claim)}
    chosen = forms[choose("form", form, forms)]
    if catalogue.own(claim):
        tried((chosen,), problem)
    return search(chosen, problem, budget, seed)


def certify(claims: Sequence[str], problem: Problem, draws: int = 1, seed: int = 0) -> dict:
    """Decide claims at the worst points of drawn networks with every rounding enclosed.

    Returns `claims`, a row for each form with its verdict (proved | refuted | undecided) at exactly these
    floats, and `lambda_certified`, [low, high] around λ_min(H(0)) of each draw.  No error: what cannot be
    decided is undecided.  Raises `BadInput` for unknown claims.  Source: docs/design.md.

    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", n=3, d_in=3, d_out=1, m=8)
    >>> found = nv.certify(["kernel-entries"], question)
    >>> [(row["id"], row["verdict"]) for row in found["claims"]]
    [('kernel-entries', 'proved')]
    """
    for name in claims:
        catalogue.statements(name)
    return decide_drawn(claims, problem, draws, seed)


def realise(
    problem: Problem, *, max_width: int = 4096, follow: int = 0, keep: float = 0.5, theta: float = 0.1, seed: int = 0
) -> dict:
    """The certificate of the smallest width and σ at which convergence is proved; `json.dumps` of it is a
    certificate.json that `ntkverify check` verifies.

    The problem's own m and σ are left aside.  `follow`, `keep` and `theta` are the command's options of that name.
    Needs 64-bit numbers.  Every number is a bound in the safe direction.  Raises `BadInput` where no width up to
    `max_width` is certified, with the hypothesis that fails and by how much.  Source: docs/proofs/convergence.md.

    >>> import jax
    >>> import ntkverify as nv
    >>> jax.config.update("jax_enable_x64", True)
    >>> made = nv.realise(nv.problem("orthonormal"))
    >>> len(made["floats"]["W"][0]) <= 200, made["conclusions"]["contraction"] > 0
    (True, True)
    """
    if problem.activation.bend == math.inf:
        raise BadInput(f"network {problem.activation.name}", "an activation with a second derivative", "softmax")
    found = smallest_certified(problem, seed, max_width, keep=keep, theta=theta, follow=follow)
    if not found.proved:
        raise impossible(found, max_width)
    return certificate(found, {"seed": seed, "max_width": max_width})


def dtype() -> str:
    """ "float64" where JAX's 64-bit numbers are on, otherwise "float32".  No error.  Source: JAX's settings.

    >>> import ntkverify as nv
    >>> nv.dtype() in ("float64", "float32")
    True
    """
    return "float64" if jax.config.read("jax_enable_x64") else "float32"
