"""The library's verbs that answer a question, as the command line's of the same names do: verify, falsify, certify, realise,
study.  In a notebook a bar shows how far they are.
"""

from collections.abc import Sequence
from pathlib import Path

from ntkverify import catalogue
from ntkverify.api import SIGMA
from ntkverify.certifying.at_points import certify as decide_drawn
from ntkverify.convergence.options import Options
from ntkverify.convergence.realise import Realised
from ntkverify.convergence.realise import configuration as asked_to_realise
from ntkverify.convergence.realise import realise as certify_and_run
from ntkverify.convergence.weights import digest_of, trained
from ntkverify.ground import results
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.notebook import bar
from ntkverify.ground.settings import Settings
from ntkverify.ground.shown import Results
from ntkverify.networks import arguments
from ntkverify.networks.described import described
from ntkverify.networks.nouns import Params, Problem
from ntkverify.searching.falsifying import Found, forms_to_search
from ntkverify.searching.falsifying import falsify as search
from ntkverify.studying.run import configuration
from ntkverify.studying.run import study as run_study
from ntkverify.verifying.rows import Rows
from ntkverify.verifying.verify import verify as run


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
    with bar() as heard:
        return run_study(config, path, heard)


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
    with bar() as heard:
        return run(Settings(**read).checked(), arguments.texts("claims", claims), heard)


def _data(name: str, value) -> tuple[str, ...]:
    each = value if isinstance(value, list | tuple) else [value]
    if any(hasattr(part, "shape") for part in each):
        raise BadInput(
            "data that are arrays", "a name or a file, which the report can name",
            "numpy.savez('mine.npz', X=X, y=y), then data='mine.npz'",
        )  # fmt: skip
    return arguments.texts(name, value)


def _number(name: str, value) -> float:
    return arguments.real(name, value, "a finite number")


READERS = {
    "data": _data,
    "network": arguments.texts,
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
    (chosen,) = forms_to_search(catalogue.one(claim), problem, form)
    with bar() as heard:
        return search(chosen, problem, budget, seed, heard)


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
    with bar() as heard:
        return decide_drawn(catalogue.expanded(names), arguments.asked(problem), draws, arguments.seed(seed), heard)


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
    with bar() as heard:
        return certify_and_run(problem, described(problem), config, options, path, heard, start)


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
