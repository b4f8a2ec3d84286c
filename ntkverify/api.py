"""The library's nouns and what is computed of them, in the order in which they are used: problem, draw, kernel, train.

What answers a question stands in `questions.py`.

`import ntkverify as nv` gives them as `nv.problem` and so on.  Nothing here changes JAX's settings:
64-bit numbers are used when `jax_enable_x64` is on.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify import catalogue
from ntkverify.ground.devices import alone, held, moved, one_at_a_time
from ntkverify.ground.devices import devices as devices_used
from ntkverify.ground.devices import use as use_devices
from ntkverify.ground.environment import require_memory
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.settings import INITIALISATIONS
from ntkverify.networks import arguments, losses
from ntkverify.networks.kernels.parted import draw_parted, parted, placed
from ntkverify.networks.models import read as read_model
from ntkverify.networks.network import initialise as draw_network
from ntkverify.networks.nouns import Dataset, Model, Network, Params, Problem, TwoLayer
from ntkverify.networks.parting import NETWORKS, NEURONS, parting
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.step_sizes import ordinary_steps
from ntkverify.networks.training import LEVELS, Run, train_bytes
from ntkverify.networks.training import train as descend_many


def problem(
    data: str | Path | tuple = "sphere",
    network: "str | Path | Network" = "softmax",
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

    `data` is a data set's name (sphere, orthonormal, pairs, digits, iris, diabetes; tokens, digits-rows, digits-patches), a file (.npz, .csv, .tsv), or a pair of
    arrays X (n, d_in), or (n, L, d_t) where an input is no vector, and y (n, d_out), whose sizes `n`, `d_in`, `d_out` may repeat.  `network` is a network's name, a file NAME.py, or what `nv.network` gave; a file's width is `m`, and its weights are drawn as it says, whatever `sigma`.  Rows are divided by the largest norm
    where it exceeds 1; without `scale` such data are refused.  `sigma` is the standard deviation of the initial
    weights, `radius` the R of claims about a ball, both in units of W.  The arrays of the result have JAX's default
    precision.  Raises `BadInput` for anything malformed.  Source: docs/theory.md §1.

    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", m=512, n=8, d_in=4, d_out=2)
    >>> question.X.shape, question.y.shape, question.m
    ((8, 4), (8, 2), 512)
    """
    choose("initialisation", arguments.text("init", init), INITIALISATIONS)
    flag, chosen = arguments.flag("scale", scale), _chosen(network)
    m = arguments.whole("m", m)
    n, d_in, d_out = (
        None if size is None else arguments.whole(name, size)
        for name, size in (("n", n), ("d_in", d_in), ("d_out", d_out))
    )
    if isinstance(data, str | Path):
        dataset = _loaded(str(data), n, d_in, d_out, arguments.seed(seed))
    else:
        dataset = arguments.arrays(data, n, d_in, d_out)
    return make_problem(
        dataset, chosen, m=m, init=init, sigma=arguments.real("sigma", sigma, SIGMA, least=0),
        delta=arguments.real("delta", delta, DELTA, 0, 1), radius=arguments.real("radius", radius, RADIUS, 0),
        scale=flag, dtype=dtype(),
    )[0]  # fmt: skip


def _chosen(network: "str | Path | Network") -> Network:
    return network if isinstance(network, Network) else catalogue.network(arguments.text("network", network))


def network(
    initialise: Callable | str | Path, apply: Callable | None = None, *, trained: Callable | None = None,
    scale: Callable | None = None, name: str = "model", title: str = "",
) -> Model:  # fmt: skip
    """A network of your own, for `nv.problem(data, network, m=width)`: two functions, or the file that has them.

    `initialise(key, width)` gives parameters, any pytree of arrays, and may ask for `d_in`, `d_out` and `shape` by name;
    `apply(parameters, X)` gives (n, d_out), an output for each input by itself.  `trained(parameters)` gives the same tree
    with True for what trains (all, without it), `scale(width)` the s_m of J Jᵀ = s_m H (1, without it).  Raises `BadInput`
    here for what is no function; what the functions give is looked at where there are data, in `nv.problem`.  Source:
    docs/theory.md §9.

    >>> import jax
    >>> import ntkverify as nv
    >>> def initialise(key, width, d_in):
    ...     return {"W": jax.random.normal(key, (d_in, width))}
    >>> def apply(parameters, X):
    ...     return jax.numpy.tanh(X @ parameters["W"]).mean(axis=1, keepdims=True)
    >>> question = nv.problem("sphere", nv.network(initialise, apply), m=16, n=4, d_in=3, d_out=1, init="independent")
    >>> nv.kernel(question, nv.draw(question, jax.random.key(0))).shape
    (4, 4)
    """
    if isinstance(initialise, str | Path):
        found = catalogue.network(arguments.text("network", initialise))
        if not isinstance(found, Model):
            raise BadInput(
                f"network {found.name!r}", "two functions, or a file NAME.py", f"nv.problem(data, {found.name!r})"
            )
        return found
    given = {"initialise": initialise, "apply": apply, "trained": trained, "scale": scale, "__doc__": title}
    return dataclasses.replace(read_model(arguments.text("name", name), name, given), source="")


def devices(count: int | None = None) -> int:
    """Let the first `count` devices share the work from now on, all without it; how many that are.

    Draws and networks are parted over them, a large network by its neurons; numbers change by rounding only.  A CPU is one
    device unless JAX was told otherwise (`jax.config.update("jax_num_cpu_devices", 8)` before anything is computed).  Raises
    `BadInput` where there are fewer.  Source: docs/sweeps.md.

    >>> import ntkverify as nv
    >>> nv.devices(1)
    1
    """
    use_devices(None if count is None else arguments.whole("devices", count))
    return len(devices_used())


SIGMA, DELTA, RADIUS = (
    "a finite number of at least 0", "a probability strictly between 0 and 1", "a finite number above 0"
)  # fmt: skip


def _loaded(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    try:
        return catalogue.load_input(name)(name, n, d_in, d_out, seed)
    except OSError as error:
        raise BadInput(f"data {name!r} ({error.strerror or error})", "a file that can be read") from None


def draw(problem: Problem, key: PRNGKeyArray) -> Params:
    """One network at initialisation: W (d_in, m) with N(0, σ²) entries and signs a (d_out, m).

    Exact up to the generator; the same key gives the same network.  Source: docs/theory.md §1.

    >>> import jax
    >>> import ntkverify as nv
    >>> net = nv.draw(nv.problem("sphere", m=512, n=8, d_in=4, d_out=2), jax.random.key(0))
    >>> net.W.shape, net.a.shape
    ((4, 512), (2, 512))
    """
    arguments.asked(problem)
    own = problem.d_in if isinstance(problem.network, TwoLayer) else problem.p // problem.m
    size = 3 * problem.m * (own + problem.d_out) * problem.X.dtype.itemsize
    by, over = parting(problem, 1)
    shares = by == NEURONS and problem.m % over.size == 0
    require_memory(held(size, over) if shares else size, f"a network of m = {problem.m}", "a smaller m")
    return (
        draw_parted(problem, arguments.random_key(key), over)
        if shares
        else draw_network(problem, arguments.random_key(key))
    )


OF_PARTS = ("shared-products", "closed-form")
"""Routes that sum over neurons, so that devices may share a large network."""
OF_TWO_LAYERS = ("closed-form", "infinite-width")
"""Routes that need to know more of a network than what it computes."""


def kernel(
    problem: Problem,
    params: Params | None = None,
    route: str = "shared-products",
    X2: Float[Array, "n2 d_in"] | None = None,
) -> Float[Array, "nd n2d"]:
    """The NTK Gram matrix H = J Jᵀ / s_m, an (n·d_out, n·d_out) array, sample slow; with other inputs `X2`
    (n2, d_in), in the units of `problem.X`, the (n·d_out, n2·d_out) kernel between the two.

    `route` is shared-products (the closed form by fewer products, where that is as exact), closed-form,
    jacobian-contraction, ntk-vector-products (both of neural-tangents), autodiff, or infinite-width,
    which needs no `params`.  The finite routes agree to about 1e-14 of the largest entry in float64 and 1e-6 in float32; `params`, and `X2` of JAX, have the problem's precision.  Calls of the
    same shapes share a compiled program.  Source: docs/theory.md §2.

    >>> import jax
    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", m=512, n=8, d_in=4, d_out=2)
    >>> net = nv.draw(question, jax.random.key(0))
    >>> H, K = nv.kernel(question, net), nv.kernel(question, route="infinite-width")
    >>> J = nv.kernel(question, net, route="autodiff")
    >>> H.shape, K.shape, bool(abs(H - J).max() < 1e-5 * abs(H).max())
    ((16, 16), (16, 16), True)
    """
    function = catalogue.kernel(arguments.text("route", route))
    arguments.asked(problem)
    if isinstance(problem.network, Model) and route in OF_TWO_LAYERS:
        raise BadInput(f"route {route!r} of {problem.network.name}", "a route of any network", "route='autodiff'")
    if params is not None:
        arguments.network(problem, params)
    elif route != "infinite-width":
        raise BadInput(f"route {route!r} without params", "a network, for routes at finite width", "nv.draw")
    other = None if X2 is None else arguments.inputs(problem, X2)
    columns = problem.n if other is None else other.shape[0]
    size = 3 * problem.n * columns * problem.d_out**2 * problem.X.dtype.itemsize
    require_memory(size, f"a kernel of {problem.n} times {columns} inputs", "fewer inputs")
    by, over = parting(problem, 1)
    if params is not None and route in OF_PARTS and by == NEURONS:
        with one_at_a_time(over):
            problem, other = moved((problem, other), over)
            return jax.block_until_ready(parted(function, problem, placed(params, over), other, over))
    given = moved((problem, None if route == "infinite-width" else params, other), over if by == NETWORKS else alone())
    return _compiled(function, *given)


@functools.partial(jax.jit, static_argnums=0)
def _compiled(route: Callable, problem: Problem, params: Params | None, X2):
    return route(problem, params, X2)


def train(
    problem: Problem, start: Params, eta: float | None = None, *, target: float = 0.01, budget: int = 4096,
    loss: str = "squared",
) -> Run:  # fmt: skip
    """Full-batch gradient descent from one network, or from many (leading axis of `start`), until
    ‖F − Y‖² ≤ `target` or for `budget` steps.

    `eta` is the step size in units of W; the default is 1/(s_m λ_max(H(0))) of each network.  The result
    has `losses` ‖F − Y‖² and `movement` max_r‖w_r(τ) − w_r(0)‖ as (networks, budget + 1) arrays, NaN
    after the end (with `loss="logistic"` the mean of log(1 + e^{−yF}), labels ±1, and n d_out times that step size), `last` weights, `snapshots` of W where the loss first falls to `levels` of the first one, with
    `kernels(problem)` there, `outcome` (converged | diverged | unfinished) and `sentence(k)`.
    Batched and single runs agree to rounding.  Source: docs/theory.md §1.

    >>> import jax
    >>> import ntkverify as nv
    >>> question = nv.problem("sphere", m=64, n=4, d_in=8, d_out=1, sigma=0.5)
    >>> run = nv.train(question, nv.draw(question, jax.random.key(0)))
    >>> run.outcome, run.losses[0, 0] > run.losses[0, 1]
    (['converged'], np.True_)
    """
    arguments.network(arguments.asked(problem), start, many=True)
    target = arguments.real("target", target, "a finite number above 0", 0)
    budget = arguments.whole("budget", budget)
    size = None if eta is None else arguments.real("eta", eta, "a finite step size above 0", 0)
    measured = losses.LOSSES[choose("loss", loss, losses.LOSSES)]
    if measured is losses.logistic:
        losses.check_labels(problem)
    seeds = start.W.shape[0] if start.W.ndim == 3 else 1
    require_memory(
        train_bytes(problem, seeds, budget), f"training {seeds} networks of m = {problem.m}", "fewer networks"
    )
    by, over = parting(problem, seeds)
    problem, start = moved(problem, over), placed(start, over) if by == NEURONS else moved(start, over)
    many = start if start.W.ndim == 3 else jax.tree.map(lambda leaf: leaf[None], start)
    curved = problem.y.size if measured is losses.logistic else 1  # its second derivative is at most 1/4, over n d_out
    steps = curved * ordinary_steps(problem, many) if size is None else jnp.full((seeds,), size, problem.X.dtype)
    return descend_many(problem, many, steps, target=target, budget=budget, levels=LEVELS, movement=True, loss=measured)


def dtype() -> str:
    """ "float64" where JAX's 64-bit numbers are on, otherwise "float32".  No error.  Source: JAX's settings.

    >>> import ntkverify as nv
    >>> nv.dtype() in ("float64", "float32")
    True
    """
    return "float64" if jax.config.read("jax_enable_x64") else "float32"
