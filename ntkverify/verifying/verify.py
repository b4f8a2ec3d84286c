"""The verb `verify`: settings → problems → kernels compared and claims judged → rows."""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.certifying.at_points import POINTS, Certificate, Drawn, certified
from ntkverify.certifying.decision import PROVED, REFUTED
from ntkverify.certifying.pointfile import save_point
from ntkverify.ground.environment import environment, make_room, require_memory
from ntkverify.ground.numerics import SHOWN_AS_ZERO, full_precision, unit_roundoff
from ntkverify.ground.results import SCHEMA, save
from ntkverify.ground.settings import Settings
from ntkverify.judging.judge import (
    Evidence,
    Verdict,
    chunk_bytes,
    chunks,
    examine,
    joined,
    judge,
    point_bytes,
    unjudged,
)
from ntkverify.judging.trial import tried
from ntkverify.networks.degenerate import why_zero
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.kernels.infinite_width import infinite_width, sample_kernel
from ntkverify.networks.kernels.neural_tangents import BridgeError, library
from ntkverify.networks.nouns import IN_BALL, ON_PATH, Params, Point, Problem
from ntkverify.networks.points import DIRECTIONS
from ntkverify.networks.problems import problem as make_problem
from ntkverify.searching.falsifying import search_bytes
from ntkverify.statements.claim import Claim
from ntkverify.statements.docstring import Statement
from ntkverify.verifying.kernels import BUDGET as REFERENCES
from ntkverify.verifying.kernels import CLOSED_FORM, LIMIT, compare

DRAWN = "drawn"
TRAINED = 60
"""Networks that are trained for the claims about training."""
SHOWN = 96
"""Rows and columns of a kernel that are kept for its picture."""
BASE = 2**30
"""Bytes for the programs themselves: JAX, compiled code, scikit-learn."""


@dataclass
class Rows:
    """What a run has found so far; `results()` is valid at any moment."""

    config: dict
    statements: Mapping[str, Sequence[Statement]]
    """What each claim's forms state, by the claim's id."""
    problems: list[dict] = field(default_factory=list)
    kernels: list[dict] = field(default_factory=list)
    claims: list[dict] = field(default_factory=list)
    draws: list[dict] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    """"<problem>/kernel/<route>" and "<problem>/eigenvalues/<H(0) by draw, or the limit>"."""
    left_out: list[str] = field(default_factory=list)
    refuting: dict[str, tuple[Claim, Problem, Point, str]] = field(default_factory=dict)
    """Counterexamples by the name of the file that `check` reads; last the file of a user's own claim, or nothing."""
    complete: bool = False

    def results(self) -> dict:
        """The content of results.json."""
        return {
            "schema": SCHEMA,
            "verb": "verify",
            "config": self.config,
            "complete": self.complete,
            "environment": environment(),
            "left_out": self.left_out,
            "problems": self.problems,
            "kernels": self.kernels,
            "claims": self.claims,
            "summary": {
                "verdicts": dict(Counter(row["verdict"] for row in self.claims)),
                "kernel_routes_disagreeing": sum(row["agree"] is False for row in self.kernels),
            },
            "statements": [
                {"id": name, **dataclasses.asdict(statement)}
                for name in dict.fromkeys(row["id"] for row in self.claims)
                for statement in self.statements[name]
            ],
        }

    def save(self, folder: Path) -> None:
        """Write results.json, draws.csv, arrays.npz and the counterexamples into a folder."""
        for name, (form, problem, point, source) in self.refuting.items():
            save_point(folder / name, form, problem, point, {"from": "verify --certify"}, source)
        save(folder, self.results(), self.draws, self.arrays)


def verify(
    settings: Settings,
    claims: tuple[str, ...] = (),
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
    certify: float | None = None,
) -> Rows:
    """Check the claims (all of the catalogue's by default) on every data set and network.

    With `certify`, each form is then decided with every rounding enclosed, at the worst points of a
    few draws and at the worst that a search of so many seconds finds; its verdict may become `proved`.
    `heard(what, done, total)` is told of progress.  After an interruption the exception's
    `rows` attribute holds what was finished.
    """
    names = tuple(claims) or catalogue.CLAIMS
    chosen = [catalogue.claims(name) for name in names]
    problems = [
        (row, instance)
        for network in settings.network
        for data in settings.data
        for row, instance in [make_instance(settings, data, network, certify is not None)]
    ]
    _distinguish([row for row, _ in problems])
    for name, forms in zip(names, chosen, strict=True):
        if catalogue.own(name):
            tried(forms, problems[0][1])
    statements = {forms[0].id: [form.statement for form in forms] for forms in chosen}
    asked = {} if certify is None else {"certify": True, "certify_seconds": certify}
    rows = Rows(settings.config(claims=list(claims), **asked), statements)
    steps = sum(draws(settings, forms[0].where) for forms in chosen)
    steps += 0 if certify is None else sum(map(len, chosen))
    total = len(problems) * (1 + steps)
    progress = _Progress(heard, total)
    try:
        for row, instance in problems:
            make_room()
            with ThreadPoolExecutor(1) as aside:  # its compiling overlaps with the claims'
                kernels = aside.submit(_describe, rows, row, instance, settings)
                _judge_all(rows, row["id"], instance, chosen, settings, progress)
                if certify is not None:
                    sources = {
                        forms[0].id: str(Path(name).resolve()) if catalogue.own(name) else ""
                        for name, forms in zip(names, chosen, strict=True)
                    }
                    _certify_all(rows, row["id"], instance, chosen, sources, settings, certify, progress)
                progress(f"{row['id']}: kernels")
                kernels.result()
                progress(f"{row['id']}: kernels", 1)
        rows.complete = True
    except KeyboardInterrupt as interruption:
        interruption.rows = rows  # type: ignore[attr-defined]
        raise
    return rows


def _distinguish(rows: list[dict]) -> None:
    """Number the ids that are there already: copies of one file, whose names and content are the same."""
    taken: Counter[str] = Counter()
    for row in rows:
        taken[row["id"]] += 1
        if (copy := taken[row["id"]]) > 1:
            row["id"] += f"-{copy}"


class _Progress:
    def __init__(self, heard, total):
        self.heard, self.total, self.done = heard, total, 0

    def __call__(self, what: str, steps: int = 0):
        self.done += steps
        self.heard(what, self.done, self.total)


def memory_needed(n: int, d_in: int, d_out: int, m: int, itemsize: int, certified: bool = False) -> int:
    """About the bytes that a run takes at its largest, with `--certify` or without."""
    claims = chunk_bytes(n, d_in, d_out, m, itemsize) + environment()["cores"] * point_bytes(
        n, d_in, d_out, m, itemsize
    )
    if certified:  # the first draws stay, in the ball and on the path, while one claim after another is searched
        claims = 2 * chunk_bytes(n, d_in, d_out, m, itemsize) + search_bytes(n, d_in, d_out, m, itemsize)
    jacobian = 3 * n * d_out * m * d_in * itemsize
    return BASE + claims + 2 * min(REFERENCES, jacobian) + 6 * (n * d_out) ** 2 * itemsize + n * (d_in + d_out) * 24


def make_instance(settings: Settings, data: str, network: str, certified: bool = False) -> tuple[dict, Problem]:
    """The row that describes a problem, and the problem; `BadInput` where it does not fit into memory."""
    activation = catalogue.activation(network)
    itemsize = np.dtype(settings.dtype).itemsize

    def fits(n, d_in, d_out):
        sizes = {"n": n, "d-in": d_in, "d-out": d_out, "m": settings.m}
        what = " ".join(f"--{name} {size}" for name, size in sizes.items() if size)
        needed = memory_needed(n or 1, d_in or 1, d_out or 1, settings.m, itemsize, certified)
        require_memory(needed, what, "a smaller --m or --n")

    fits(settings.n, settings.d_in, settings.d_out)  # before anything of that size is made
    dataset = catalogue.load_input(data)(data, settings.n, settings.d_in, settings.d_out, settings.seed)
    fits(len(dataset.X), dataset.X.shape[1], dataset.y.shape[1])
    instance, scaling = make_problem(
        dataset,
        activation,
        m=settings.m,
        init=settings.init,
        sigma=settings.sigma,
        delta=settings.delta,
        radius=settings.radius,
        dtype=settings.dtype,
        scale=settings.scale,
    )
    row = {
        "id": "-".join(part for part in (dataset.name, dataset.digest, network) if part),
        "data": data,
        "origin": dataset.origin,
        "network": network,
        "formula": activation.title,
        "init": settings.init,
        "n": instance.n,
        "d_in": instance.d_in,
        "d_out": instance.d_out,
        "m": instance.m,
        "sigma": settings.sigma,
        "rank": instance.rank,
        "scaling": scaling,
    }
    return row, instance


def _describe(rows: Rows, row: dict, instance: Problem, settings: Settings) -> None:
    """Add the problem's row with its λ, and the comparison of the kernel routes."""
    count, points = next(chunks(instance, settings.seeds, settings.seed))
    base, tilted = (
        jax.tree.map(lambda leaf: leaf[:, DIRECTIONS.index("sign-aligned")], params)
        for params in (points.base, points.moved)
    )
    spectra = np.asarray(_spectra(instance, base))[:count]
    smallest = np.sort(spectra[:, 0])
    limit, limit_error = jax.jit(sample_kernel)(instance)
    limit_spectrum = np.asarray(_cleared(jnp.linalg.eigvalsh(limit)))
    rows.arrays[f"{row['id']}/eigenvalues/{DRAWN}"] = spectra
    rows.arrays[f"{row['id']}/eigenvalues/{LIMIT}"] = np.repeat(limit_spectrum, instance.d_out)
    rows.problems.append(
        row
        | {
            "lambda": _number(float(np.median(smallest))),
            "lambda_range": [_number(float(smallest[0])), _number(float(smallest[-1]))],
            "lambda_draws": count,
            "lambda_note": why_zero(instance) if np.median(smallest) == 0 else "",
            "lambda_inf": _number(float(limit_spectrum[0])),
            "limit_error": _number(float(limit_error)),
        }
    )
    routes = _finite_routes(rows)
    for dtype in dict.fromkeys((settings.dtype, "float32")):
        first = jax.tree.map(lambda leaf: leaf[0], (tilted, base))
        cast, (moved, start) = _cast((instance, first), dtype)
        compared, kernels = compare(cast, moved, start, routes, closed_form, infinite_width, settings.seed)
        rows.kernels += [{"problem": row["id"]} | found for found in compared]
        if dtype == settings.dtype:
            shown = slice(None, SHOWN)
            rows.arrays |= {f"{row['id']}/kernel/{route}": kernel[shown, shown] for route, kernel in kernels.items()}


def _cast(tree, dtype: str):
    return jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


def _finite_routes(rows: Rows) -> dict[str, Callable]:
    """The reference routes that this installation can run."""
    names = [name for name in catalogue.KERNELS if name not in (CLOSED_FORM, LIMIT)]
    try:
        library()
    except BridgeError as error:
        bridged = [name for name in names if catalogue.KERNELS[name][0] == "neural_tangents"]
        names = [name for name in names if name not in bridged]
        sentence = f"kernel routes {' and '.join(bridged)}: {error}"
        if sentence not in rows.left_out:
            rows.left_out.append(sentence)
    return {name: catalogue.kernel(name) for name in names}


@jax.jit
@full_precision
def _spectra(instance: Problem, draws: Params):
    """The eigenvalues of each draw's H, ascending."""
    return jax.lax.map(lambda params: _cleared(jnp.linalg.eigvalsh(closed_form(instance, params))), draws)


def _cleared(values):
    """Eigenvalues, those below the routine's own error set to zero."""
    error = SHOWN_AS_ZERO * values.shape[-1] * unit_roundoff(values.dtype) * jnp.sqrt(jnp.sum(values**2))
    return jnp.where(jnp.abs(values) <= error, 0, values)


def _judge_all(
    rows: Rows, problem: str, instance: Problem, chosen: list[tuple[Claim, ...]], settings: Settings, progress
) -> None:
    """Add a row for each form of each claim; after an interruption, from the chunks that were done."""
    parts: dict[Claim, list[Evidence]] = {form: [] for forms in chosen for form in forms}
    seconds = dict.fromkeys(parts, 0.0)
    refused: dict[Claim, str] = {}

    def timed(forms, points, count):
        started = time.perf_counter()
        try:
            found = examine(forms, instance, points, count)
        except UnknownOperation as error:
            found = str(error)
        return found, (time.perf_counter() - started) / len(forms)

    try:
        # Threads, because compiling and most of evaluating a claim keep only one core busy.
        with ThreadPoolExecutor(environment()["cores"]) as pool:
            for where, group in _by_place(chosen):
                for count, points in chunks(instance, draws(settings, where), settings.seed, where):
                    progress(f"{problem}: {len(group)} claims {where}")
                    jobs = pool.map(timed, group, repeat(points), repeat(count))
                    for forms, (found, spent) in zip(group, jobs, strict=True):
                        for index, form in enumerate(forms):
                            seconds[form] += spent
                            if isinstance(found, str):
                                refused[form] = f"It could not be evaluated with its rounding error: {found}."
                            else:
                                parts[form].append(found[index])
                        progress(f"{problem}: {forms[0].id}", count)
    finally:
        for form, pieces in parts.items():
            if pieces:
                evidence = joined(pieces)
                _add_claim(rows, problem, form, judge(form, evidence, settings.delta), seconds[form], settings.delta)
                _add_draws(rows, problem, form, evidence)
            elif form in refused:
                verdict = unjudged(draws(settings, form.where), refused[form])
                _add_claim(rows, problem, form, verdict, seconds[form], settings.delta)


def _certify_all(
    rows: Rows, problem: str, instance: Problem, chosen: list[tuple[Claim, ...]], sources: Mapping[str, str],
    settings: Settings, seconds: float, progress,
) -> None:  # fmt: skip
    """Decide each form at the worst of the first chunk of draws and of a search, and say so in its row."""
    drawn = Drawn(instance, {where: draws(settings, where) for where in (IN_BALL, ON_PATH)}, settings.seed, 1)
    judged = {(row["id"], row["form"]): row for row in rows.claims if row["problem"] == problem}
    for forms in chosen:
        applicable = [judged[form.id, form.form]["applicable"] for form in forms]
        worst = drawn.worst(forms) if any(applicable) else [[] for _ in forms]
        for form, points in zip(forms, worst, strict=True):
            progress(f"{problem}: certify {form.id} [{form.form}]")
            began, row = time.perf_counter(), judged[form.id, form.form]
            if not row["applicable"]:
                progress(f"{problem}: certify {form.id} [{form.form}]", 1)
                continue
            found = certified(form, instance, points[:POINTS], seconds, settings.seed)
            file = f"counterexample-{problem}-{form.id}-{form.form}.npz" if found.counterexample else None
            if found.counterexample and file:
                rows.refuting[file] = (form, *found.counterexample, sources[form.id])
            _settle(row, found, file)
            row["seconds"] = round(row["seconds"] + time.perf_counter() - began, 3)
            progress(f"{problem}: certify {form.id} [{form.form}]", 1)
            if found.interrupted:
                raise KeyboardInterrupt


def _settle(row: dict, found: Certificate, file: str | None) -> None:
    """Put a certificate into a claim's row: bracket, verdict and sentence."""
    if not found.decisions:
        return
    row["bracket"] = found.bracket(file)
    row["sentence"] += " " + found.sentence()
    if found.verdict == REFUTED and found.certain:
        row["verdict"] = "violated"
    elif found.verdict == PROVED and found.certain and row["verdict"] == "holds":
        row["verdict"] = PROVED  # points say nothing of a rate
    if file:
        row["sentence"] += f" The point is in {file}; ntkverify check judges it again."


def _by_place(chosen: list[tuple[Claim, ...]]) -> list[tuple[str, list[tuple[Claim, ...]]]]:
    """The claims at initialisation and in the ball, which share their points, then those along training."""
    trained = [forms for forms in chosen if forms[0].where == ON_PATH]
    fixed = [forms for forms in chosen if forms[0].where != ON_PATH]
    return [(where, group) for where, group in ((IN_BALL, fixed), (ON_PATH, trained)) if group]


def draws(settings: Settings, where: str) -> int:
    """How many networks are drawn: those that are trained are fewer."""
    return min(settings.seeds, TRAINED) if where == ON_PATH else settings.seeds


def _add_claim(rows: Rows, problem: str, claim: Claim, found: Verdict, seconds: float, delta: float) -> None:
    rows.claims.append(
        {
            "problem": problem,
            "id": claim.id,
            "title": claim.statement.title,
            "source": claim.statement.source,
            "label": claim.form,
            "form": claim.form,
            "direction": claim.direction,
            "promised_probability": claim.promised(delta),
            "draws": found.draws,
            "applicable": found.applicable,
            "held": found.held,
            "undecided": found.undecided,
            "hold_rate_interval": list(found.interval),
            "log10_ratio": {"median": found.median, "worst": found.worst},
            "infinite": found.infinite,
            "exponent": found.exponent,
            "beyond": found.beyond,
            "constants": dict(claim.constants),
            "verdict": found.verdict,
            "sentence": found.sentence,
            "seconds": round(seconds, 3),
            "bracket": None,
        }
    )


def _add_draws(rows: Rows, problem: str, claim: Claim, evidence: Evidence) -> None:
    columns = zip(evidence.outcome, evidence.small, evidence.large, evidence.ratio, evidence.allowance, strict=True)
    rows.draws += [
        {"problem": problem, "claim": claim.id, "form": claim.form, "draw": index, "outcome": str(outcome)}
        | {
            name: _number(float(value))
            for name, value in zip(("small", "large", "ratio", "allowance"), values, strict=True)
        }
        for index, (outcome, *values) in enumerate(columns)
    ]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
