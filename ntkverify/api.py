"""The library's verbs, in the order in which they are used: problem, draw, kernel, train, verify, study.

`import ntkverify as nv` gives them as `nv.problem` and so on.  Nothing here changes JAX's settings:
64-bit numbers are used when `jax_enable_x64` is on.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify import catalogue
from ntkverify.certifying.at_points import certify as decide_drawn
from ntkverify.convergence.options import Options
from ntkverify.convergence.realise import Realised
from ntkverify.convergence.realise import configuration as asked_to_realise
from ntkverify.convergence.realise import realise as certify_and_run
from ntkverify.convergence.weights import digest_of, trained
from ntkverify.ground import results
from ntkverify.ground.devices import alone, held, moved, one_at_a_time
from ntkverify.ground.devices import devices as devices_used
from ntkverify.ground.devices import use as use_devices
from ntkverify.ground.environment import require_memory
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.settings import INITIALISATIONS, Settings
from ntkverify.ground.shown import Results
from ntkverify.networks import arguments, losses
from ntkverify.networks.described import described
from ntkverify.networks.kernels.parted import draw_parted, parted, placed
from ntkverify.networks.models import read as read_model
from ntkverify.networks.network import initialise as draw_network
from ntkverify.networks.nouns import Dataset, Model, Network, Params, Problem, TwoLayer
from ntkverify.networks.parting import NETWORKS, NEURONS, parting
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.step_sizes import ordinary_steps
from ntkverify.networks.training import LEVELS, Run, train_bytes
from ntkverify.networks.training import train as descend_many
from ntkverify.searching.falsifying import Found, forms_to_search
from ntkverify.searching.falsifying import falsify as search
from ntkverify.studying.run import configuration
from ntkverify.studying.run import study as run_study
from ntkverify.verifying.rows import Rows
from ntkverify.verifying.verify import verify as run


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


def study(name: str, folder: str | Path, preset: str = "quick", **grid) -> Results:
    """Run a study as the command line does, resuming what the folder's ledger holds; returns the content of results.json
    (`answer`, `fits`, `tables`, `cells`), a mapping that a notebook shows, with `plot()`, `to_latex()`, `to_pandas()`.

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
    for each, word in (("study", name), ("preset", preset)):
        arguments.text(each, word)
    path = Path(arguments.text("folder", folder))
    listed = {key: value if isinstance(value, (tuple, list)) else (value,) for key, value in grid.items()}
    config = configuration(name, preset, [f"{key}={','.join(map(str, values))}" for key, values in listed.items()])
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise BadInput(f"folder {path} ({error})", "a folder that can be written") from None
    return run_study(config, path)


def verify(claims: str | Path | Sequence[str | Path] = (), **settings) -> Rows:
    """Check claims (all by default) as the command line does; `settings` are the fields of `Settings`.

    Returns `Rows`: its `claims` are dicts with verdict, sentence, counts and ratios, `results()` is the content of
    results.json, and `save(folder)` writes the files that `ntkverify report` draws.  Raises `BadInput`.  Source: docs/design.md.

    >>> import ntkverify as nv
    >>> rows = nv.verify(["zero-output"], data="sphere", n=4, d_in=4, d_out=1, m=16, seeds=20, dtype=nv.dtype())
    >>> [(row["id"], row["verdict"]) for row in rows.claims]
    [('zero-output', 'holds')]
    """
    for name in settings:
        choose("setting", name, READERS)
    given = {name: value for name, value in settings.items() if not (value is None and name in ("n", "d_in", "d_out"))}
    read = {name: READERS[name](name, value) for name, value in given.items()}
    return run(Settings(**read).checked(), arguments.texts("claims", claims))


def _number(name: str, value) -> float:
    return arguments.real(name, value, "a finite number")


READERS = {
    **dict.fromkeys(("data", "network"), arguments.texts),
    **dict.fromkeys(("init", "dtype"), arguments.text),
    **dict.fromkeys(("n", "d_in", "d_out", "m", "seeds"), arguments.whole),
    **dict.fromkeys(("sigma", "delta", "radius"), _number),
    "seed": lambda name, value: arguments.seed(value),
    "scale": arguments.flag,
}
"""How each field of `Settings` is read."""


def falsify(claim: str | Path, problem: Problem, budget: float = 5.0, form: str = "derived", seed: int = 0) -> Found:
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
    arguments.asked(problem)
    budget, seed = arguments.real("budget", budget, "a number of seconds above 0", 0), arguments.seed(seed)
    claim, form = arguments.text("claim", claim), arguments.text("form", form)
    (chosen,) = forms_to_search(claim, problem, form)
    return search(chosen, problem, budget, seed)


def certify(claims: str | Path | Sequence[str | Path], problem: Problem, draws: int = 1, seed: int = 0) -> Results:
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
    names, draws = arguments.texts("claims", claims), arguments.whole("draws", draws)
    return decide_drawn(names, arguments.asked(problem), draws, arguments.seed(seed))


def realise(
    problem: Problem, folder: str | Path | None = None, *, m: int | None = None, sigma: float | None = None,
    max_width: int = 65536, follow: int = 0, train: bool = False, keep: float = 0.5, theta: float = 0.1,
    accuracy: float = 1e-3, budget: int = 20000, seed: int = 0,
) -> Realised:  # fmt: skip
    """Certify that gradient descent converges, at the smallest width and the σ at which it is proved, then run it and
    look, as the command line does.

    The result is the certificate: `save(path)` writes the certificate.json and .bin that `ntkverify check` verifies.  Its
    `floats` are the arrays X, y, W and a, its `results` the content of results.json (`sentence`, `margins`, `observations` of the
    run, `bracket`), its `arrays` the run.  All files are written into a `folder`, if there is one, and `ntkverify report` draws them.
    The problem's own m and σ are left aside; `m`, `sigma` and the other options are the command's of that name.
    Needs 64-bit numbers.  Every number of the certificate is a bound in the safe direction.  Raises `BadInput` where no
    width up to `max_width` is certified, with the hypothesis that fails and by how much.  Source:
    docs/proofs/convergence.md.

    >>> import jax
    >>> import ntkverify as nv
    >>> jax.config.update("jax_enable_x64", True)
    >>> made = nv.realise(nv.problem("orthonormal"))
    >>> made.floats["W"].shape[1] <= 200, made["conclusions"]["contraction"] > 0
    (True, True)
    >>> all(seen["holds"] for seen in made.results["observations"])
    True
    """
    share = "a number strictly between 0 and 1"
    options = Options(
        m=None if m is None else arguments.whole("m", m),
        sigma=None if sigma is None else arguments.real("sigma", sigma, SIGMA, least=0), seed=arguments.seed(seed),
        keep=arguments.real("keep", keep, share, 0, 1), theta=arguments.real("theta", theta, share, 0, 1),
        follow=arguments.whole("follow", follow, 0), train=arguments.flag("train", train), max_width=arguments.whole("max_width", max_width, 2),
        accuracy=arguments.real("accuracy", accuracy, share, 0, 1), budget=arguments.whole("budget", budget, 2),
    )  # fmt: skip
    return _realised(arguments.asked(problem), options, folder)


def _realised(problem: Problem, options: Options, folder: str | Path | None, start: Params | None = None) -> Realised:
    config, path = asked_to_realise(problem, options) | ({"weights": digest_of(start)} if start else {}), None
    if folder is not None:
        path = results.folder("realise", config, Path(arguments.text("folder", folder)), force=False)
    return certify_and_run(problem, described(problem), config, options, path, start=start)


def certify_convergence(
    problem: Problem, params: Params, folder: str | Path | None = None, *, keep: float = 0.5, theta: float = 0.1,
) -> Realised:  # fmt: skip
    """Certify that gradient descent from a trained network converges to zero loss, so that a network which fits the data
    exactly lies near it.

    `params` are W (d_in, m) and signs a (d_out, m) of `problem`'s network by whatever optimiser, F_0 = 0; the problem's own m, σ and
    start are left aside.  The result is as that of `realise`; `results["distance"]` is how far exact gradient descent goes at most,
    `results["largest"]` the ‖e‖ up to which this start would do.  Needs 64-bit numbers.  Raises `BadInput` where a hypothesis
    fails, with the ‖e‖ that is wanted.  Source: docs/proofs/convergence.md, Theorem 5, whose ancestor is Newton–Kantorovich's.

    >>> import jax
    >>> import ntkverify as nv
    >>> jax.config.update("jax_enable_x64", True)
    >>> question = nv.problem("sphere", "tanh", n=4, m=512)
    >>> run = nv.train(question, nv.draw(question, jax.random.key(0)), target=1e-9, budget=20000)
    >>> nv.certify_convergence(question, run.last).results["distance"] < 0.1
    True
    """
    share, problem = "a number strictly between 0 and 1", arguments.asked(problem)
    keep, theta = arguments.real("keep", keep, share, 0, 1), arguments.real("theta", theta, share, 0, 1)
    return _realised(problem, Options(keep=keep, theta=theta), folder, trained(problem, params))


def dtype() -> str:
    """ "float64" where JAX's 64-bit numbers are on, otherwise "float32".  No error.  Source: JAX's settings.

    >>> import ntkverify as nv
    >>> nv.dtype() in ("float64", "float32")
    True
    """
    return "float64" if jax.config.read("jax_enable_x64") else "float32"
