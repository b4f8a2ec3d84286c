"""The command line: choose claims, run, write results, draw.  Starts without JAX."""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ntkverify import catalogue
from ntkverify.ground.errors import BadInput
from ntkverify.ground.settings import Settings
from ntkverify.ground.terminal import Terminal, forsake_stdout, leave_traceback, spell_out

CRASHED = 70
"""Exit code of an error of the program (EX_SOFTWARE of sysexits.h)."""
_STYLES = {"holds": "blue", "proved": "blue", "violated": "bold red", "undecided": "yellow", "vacuous": "dim"}


@dataclass(frozen=True)
class List:
    """List the claims: what they say, where they come from, in which form.

    Example: ntkverify list --json
    """

    json: bool = False
    """Print JSON instead of a table."""

    def run(self, console: Console) -> int:
        rows = [
            {"id": name, **dataclasses.asdict(statement)}
            for name in catalogue.CLAIMS
            for statement in catalogue.statements(name).values()
        ]
        if self.json:
            print(json.dumps(rows, indent=1))
            return 0
        table = Table("claim", "form", "title", "direction", "promise", "source", box=None)
        for row in rows:
            table.add_row(*(row[key] for key in ("id", "form", "title", "direction", "promise", "source")))
        console.print(table)
        return 0


@dataclass(frozen=True)
class Show:
    """Show a claim in full: setting, statement, proof, how it is measured.

    Example: ntkverify show kernel-perturbation
    """

    claim: tyro.conf.Positional[str]
    """The claim's id, as `list` prints it."""

    def run(self, console: Console) -> int:
        for statement in catalogue.statements(self.claim).values():
            console.print(f"\n[bold]{statement.title}[/bold] \\[{statement.form}]", highlight=False)
            for name, text in dataclasses.asdict(statement).items():
                if text and name not in ("title", "form"):
                    console.print(f"[dim]{name.replace('_', ' ')}:[/dim] ", end="")
                    console.print(text, markup=False, highlight=False)
        return 0


@dataclass(frozen=True)
class Verify:
    """Check claims on draws of the network, compare kernel routes, write a report.

    With --certify each claim is then decided with every rounding enclosed, at the worst points of three
    draws and at the worst that a short search finds: `proved` speaks of exactly these points.
    Exit code 0: nothing violated; 1: something violated; 2: bad input; 70: an error of the program; 130: interrupted.

    Example: ntkverify verify --data digits --n 24 --d-out 3 --m 2048 --out digits
    """

    claims: tyro.conf.Positional[tuple[str, ...]] = ()
    """Claims to check, as `list` prints them, or files of your own (default: all)."""
    settings: tyro.conf.OmitArgPrefixes[Settings] = dataclasses.field(default_factory=Settings)
    certify: bool = False
    """Decide points with every rounding enclosed; counterexamples are written to files that `check` judges."""
    certify_seconds: float = 1.0
    """With --certify: seconds of search for each form that can be searched, compiling aside (0: none)."""
    out: Path | None = None
    """Folder for results.json, draws.csv and report.html (default: runs/verify-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    def run(self, console: Console) -> int:
        settings = self.settings.checked()
        for name in self.claims:
            catalogue.statements(name)
        for name in settings.network:
            catalogue.choose("network", name, catalogue.ACTIVATIONS)
        for name in settings.data:
            catalogue.input_module(name)
        if not 0 <= self.certify_seconds < float("inf"):
            raise BadInput(f"--certify-seconds {self.certify_seconds}", "a number of seconds, 0 for no search", "--certify-seconds 1")  # fmt: skip

        from ntkverify.ground import results
        from ntkverify.ground.progress import Progress, set_up_jax
        from ntkverify.verifying.verify import verify

        set_up_jax(settings.dtype)
        certify = {"certify": True, "certify_seconds": self.certify_seconds} if self.certify else {}
        config = settings.config(claims=list(self.claims), **certify)
        folder = results.folder("verify", config, self.out, self.force)
        interrupted = False
        with Progress() as heard:
            try:
                rows = verify(settings, self.claims, heard, certify.get("certify_seconds"))
            except KeyboardInterrupt as interruption:
                rows, interrupted = interruption.rows, True  # type: ignore[attr-defined]
        found = rows.results()
        rows.save(folder)
        from ntkverify.report.page import draw_report

        page = draw_report(folder)
        summarise(console, found)
        console.print(f"results: {folder / results.RESULTS}\nreport:  {page}", highlight=False, soft_wrap=True)
        if interrupted:
            Console(stderr=True).print("Interrupted; what was finished is kept.")
            return 130
        return 1 if any(_violations(found)) else 0


@dataclass(frozen=True)
class Study:
    """Answer a question by training many networks over a grid; resumable.

    drift: how far does training move the kernel, and is it scale, coupling or normalisation?
    diffusion: what stands between a trained network and the score of a diffusion model?
    The same command goes on where it stopped; finished cells are kept in ledger.sqlite.

    Examples: ntkverify study drift --preset quick
    ntkverify study drift --grid m=256,1024,4096 network=softmax target=0.1
    ntkverify study diffusion --data moons
    """

    name: tyro.conf.Positional[str]
    """The study: drift, width, steps, region, table1, diffusion."""
    data: str | None = None
    """What the study diffusion learns: mixture, gaussian, moons, swissroll or digits (default: mixture)."""
    preset: str = "quick"
    """quick (minutes) or paper (what docs/results/ holds)."""
    grid: tuple[str, ...] = ()
    """Changes to the preset's grid, as NAME=VALUE or NAME=VALUE,VALUE,...; a wrong name lists them all."""
    out: Path | None = None
    """Folder for the ledger, results.json, report.html and figures/ (default: runs/study-<configuration>)."""
    status: bool = False
    """Only say how many cells are finished."""
    force: bool = False
    """Replace the results of another configuration in --out (its cells stay in the ledger)."""

    def run(self, console: Console) -> int:
        from ntkverify.ground import results
        from ntkverify.ground.progress import Progress, set_up_jax

        catalogue.study(self.name, self.preset)
        from ntkverify.studying.run import configuration, status, study

        set_up_jax("float64")
        config = configuration(self.name, self.preset, self.grid, self.data)
        folder = results.folder("study", config, self.out, self.force)
        if self.status:
            done, total = status(config, folder)
            console.print(f"{done} of {total} cells are finished in {folder}", highlight=False, soft_wrap=True)
            return 0
        with Progress() as heard:
            found = study(config, folder, heard)
        results.write(folder / results.RESULTS, json.dumps(found, indent=1, allow_nan=False) + "\n")
        from ntkverify.report.study import draw_study

        page = draw_study(folder)
        for table in found["tables"]:
            shown = Table(*table["columns"], box=None, title=table["name"])
            for row in table["rows"]:
                shown.add_row(*map(escape, row))
            console.print(shown)
        for note in found["notes"]:
            console.print(f"[yellow]{escape(note)}[/yellow]", highlight=False)
        console.print(f"\n{escape(found['answer'])}\n", highlight=False)
        console.print(f"results: {folder / results.RESULTS}\nreport:  {page}", highlight=False, soft_wrap=True)
        if not found["complete"]:
            Console(stderr=True).print("Interrupted; what was finished is kept, and the same command goes on.")
            return 130
        said = [dict(zip(table["columns"], row, strict=True)) for table in found["tables"] for row in table["rows"]]
        return 1 if any(row.get("verdict") == "violated" for row in said) else 0


@dataclass(frozen=True)
class Realise:
    """Certify that gradient descent converges from given floats, then run it and look.

    Finds the smallest width (and σ) at which every hypothesis of docs/proofs/convergence.md is proved with every
    rounding enclosed, writes certificate.json, trains at that width and step size, and reports each hypothesis
    with its margin. `ntkverify check certificate.json` verifies the certificate with other code.

    Examples: ntkverify realise --data orthonormal
    ntkverify realise --data sphere --n 8 --d-in 4 --d-out 4
    ntkverify realise --data sphere --n 8 --d-in 4 --d-out 4 --follow 2048
    """

    data: str = "orthonormal"
    """orthonormal, sphere, digits, … or a .npz, .csv or .tsv file."""
    network: str = "softmax"
    """softmax, exponential, tanh, sigmoid, swish."""
    init: Literal["coupled", "independent"] = "coupled"
    """coupled pairs of neurons, or all drawn apart (the output is then shifted by −F(0))."""
    n: int | None = None
    """Number of samples."""
    d_in: int | None = None
    """Input dimension."""
    d_out: int | None = None
    """Output dimension."""
    m: int | None = None
    """Width (default: the smallest that is certified)."""
    sigma: float | None = None
    """Standard deviation of the initial weights (default: the best of several)."""
    seed: int = 0
    """Seed of the network, and of the data where they are drawn."""
    keep: float = 0.5
    """Share of λ that the ball must keep; a smaller share certifies smaller widths and slower rates."""
    theta: float = 0.1
    """θ: share of a step that its remainder may eat; a larger one allows larger steps and needs more neurons."""
    follow: int = 0
    """Where W(0) is not certified, follow gradient descent for up to so many steps with every rounding enclosed, and
    certify from there: far smaller widths, and slower."""
    max_width: int = 65536
    """Widths up to this one are tried."""
    accuracy: float = 1e-3
    """The run ends when the loss has fallen to this share."""
    budget: int = 20000
    """The run ends after this many steps."""
    out: Path | None = None
    """Folder for certificate.json, results.json and report.html (default: runs/realise-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    def run(self, console: Console) -> int:
        for name, below in (("keep", 1.0), ("theta", 1.0), ("accuracy", 1.0)):
            if not 0 < getattr(self, name) < below:
                raise BadInput(f"--{name} {getattr(self, name)}", "a number strictly between 0 and 1", f"--{name} 0.1")
        if self.follow < 0:
            raise BadInput(f"--follow {self.follow}", "a number of steps of at least 0", "--follow 1024")
        for name in ("max_width", "budget"):
            if getattr(self, name) < 2:
                raise BadInput(f"--{name.replace('_', '-')} {getattr(self, name)}", "a whole number of at least 2")
        given = {name: value for name in ("m", "sigma") if (value := getattr(self, name)) is not None}
        sizes = {name: getattr(self, name) for name in ("n", "d_in", "d_out", "seed", "init")}
        settings = _one_problem(Settings(data=(self.data,), network=(self.network,), **given, **sizes))

        from ntkverify.convergence.realise import SIGMAS, bytes_needed, realise
        from ntkverify.ground import results
        from ntkverify.ground.environment import environment, require_memory
        from ntkverify.ground.progress import Progress, set_up_jax
        from ntkverify.verifying.instances import make_instance

        set_up_jax("float64")
        widest = self.m or self.max_width
        row, problem = make_instance(dataclasses.replace(settings, m=self.m or 2), self.data, self.network)
        sizes = problem.n, problem.d_in, problem.d_out
        require_memory(bytes_needed(*sizes, widest), f"certifying up to {widest} neurons", "a smaller --max-width")
        config = dataclasses.asdict(self)
        config = {name: value for name, value in config.items() if name not in ("out", "force")}
        folder = results.folder("realise", config, self.out, self.force)
        found = environment()
        origin = {"config": config, "data": row["origin"], "scaling": row["scaling"], "environment": found}
        with Progress() as heard:
            more = realise(
                problem, folder, sigmas=SIGMAS if self.sigma is None else (self.sigma,), m=self.m, widest=widest,
                keep=self.keep, theta=self.theta, accuracy=self.accuracy, budget=self.budget, follow=self.follow, seed=self.seed,
                origin=origin, heard=heard,
            )  # fmt: skip
        row |= {"m": more["m"], "sigma": more["sigma"]}
        content = {
            "schema": results.SCHEMA, "verb": "realise", "config": config, "environment": found, "problems": [row],
            "kernels": [], "claims": [],
        } | more  # fmt: skip
        results.write(folder / results.RESULTS, json.dumps(content, indent=1, allow_nan=False) + "\n")
        from ntkverify.report.realisation import draw_realisation

        page = draw_realisation(folder)
        console.print(
            f"\n[bold]m = {more['m']}, σ = {more['sigma']:g}[/bold]  {escape(more['sentence'])}\n", highlight=False
        )
        table = Table("hypothesis", "there", "needed", box=None)
        for margin in more["margins"]:
            table.add_row(margin["what"], f"{margin['have']:.6g}", f"{margin['need']:.6g}")
        console.print(table)
        if more["observations"]:
            table = Table(f"seen in {more['steps']} float steps", "seen", "proved", "", box=None)
            for seen in more["observations"]:
                word = "[blue]holds[/blue]" if seen["holds"] else "[bold red]violated[/bold red]"
                table.add_row(seen["what"], f"{seen['seen']:.6g}", f"{seen['proved']:.6g}", word)
            console.print(table)
        if bracket := more["bracket"]:
            broken = f"broken by a search at {bracket['found']:.4g}" if bracket["found"] else "not broken by a search"
            console.print(f"λ_min ≥ {self.keep:g} λ: proved up to {bracket['proved']:.4g}, {broken} (radii over all neurons)")  # fmt: skip
        console.print(
            f"certificate: {folder / more['certificate']}\nresults: {folder / results.RESULTS}\nreport:  {page}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        if not more["complete"]:
            Console(stderr=True).print("Interrupted; the certificate is kept.")
            return 130
        return 0 if all(seen["holds"] for seen in more["observations"]) else 1


@dataclass(frozen=True)
class Falsify:
    """Search the worst point of an inequality, and write it to a file that `check` judges.

    Free are W̃ in its balls, W, the inputs on their spheres and the signs.  A form that holds with a
    probability because its assumptions do is searched where they hold.  Beside the worst point stand the
    smallest constants that the search leaves standing: lower bounds on the smallest true ones, no proof.
    Exit code 1: a counterexample was found and confirmed with every rounding enclosed.

    Example: ntkverify falsify kernel-perturbation --n 4 --d-in 4 --d-out 2 --m 32 --radius 0.1 --budget 20
    """

    claim: tyro.conf.Positional[str]
    """The claim, as `list` prints it; each form that can be searched is."""
    settings: tyro.conf.OmitArgPrefixes[Settings] = dataclasses.field(
        default_factory=lambda: Settings(data=("sphere",), n=4, d_in=4, d_out=2, m=32)
    )
    budget: float = 20.0
    """Seconds of search for each form, compiling aside, and a quarter of it for each of its constants."""
    out: Path | None = None
    """Folder for the points found (default: runs/falsify-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    def run(self, console: Console) -> int:
        settings = _one_problem(self.settings)
        catalogue.statements(self.claim)
        if not 0 < self.budget < float("inf"):
            raise BadInput(f"--budget {self.budget}", "a number of seconds above 0", "--budget 20")

        from ntkverify.certifying.decision import REFUTED, decide
        from ntkverify.certifying.pointfile import save_point
        from ntkverify.ground import results
        from ntkverify.ground.environment import environment
        from ntkverify.ground.progress import Progress, set_up_jax
        from ntkverify.searching.falsifying import conditional, falsify, is_searchable, searchable
        from ntkverify.searching.tightening import tightest
        from ntkverify.verifying.instances import make_instance

        set_up_jax(settings.dtype)
        forms = catalogue.claims(self.claim)
        if catalogue.own(self.claim):
            from ntkverify.judging.trial import tried

            tried(forms, make_instance(settings, settings.data[0], settings.network[0])[1])
        free = [form for form in forms if is_searchable(form)] or [forms[0]]
        searchable(free[0])
        config = settings.config(claim=self.claim, budget=self.budget)
        folder = results.folder("falsify", config, self.out, self.force)
        row, problem = make_instance(settings, settings.data[0], settings.network[0])
        found, refuted, interrupted = [], False, False
        source = str(Path(self.claim).resolve()) if catalogue.own(self.claim) else ""
        with Progress() as heard:
            for form in free:
                worst = falsify(form, problem, self.budget, settings.seed, heard)
                decision = decide(form, worst.problem, worst.point)
                name = "counterexample" if decision.verdict == REFUTED else "worst"
                path = folder / f"{name}-{form.form}.npz"
                about = {
                    "ratio": _finite(worst.ratio), "infinite": worst.ratio == float("inf"), "drawn": _finite(worst.drawn),
                    "restarts": worst.restarts,
                }  # fmt: skip
                save_point(path, form, worst.problem, worst.point, about, source)
                refuted |= decision.verdict == REFUTED
                interrupted = worst.interrupted
                tight = [] if interrupted else tightest(form, problem, worst, self.budget / 4, settings.seed)
                event = conditional(form) and decision.verdict in ("proved", "refuted")
                found.append(
                    about
                    | {"form": form.form, "verdict": decision.verdict, "sentence": decision.sentence, "file": path.name}
                    | {"satisfies_event": event if conditional(form) else None, "tightest": tight}
                )
                console.print(
                    f"{form.id} \\[{form.form}] at R = {settings.radius:g}: best ratio {_ratio(worst.ratio)}, drawing alone "
                    f"{_ratio(worst.drawn)} ({worst.restarts} rounds, {worst.seconds:.0f} s)\n  at that point: {decision.verdict}. "
                    f"{decision.sentence}{_EVENT if event else ''}\n  {path}", highlight=False, soft_wrap=True,
                )  # fmt: skip
                if interrupted:
                    break
                for row in tight:
                    orders = (
                        "" if row["orders"] is None else f", a bound {row['orders']:.2f} orders of magnitude smaller"
                    )
                    console.print(
                        f"  {row['constant']}: printed {row['printed']:g}, the search leaves {row['standing']:.4g} standing{orders}",
                        highlight=False,
                    )
        content = {
            "schema": results.SCHEMA, "verb": "falsify", "config": config, "complete": not interrupted, "environment": environment(),
            "problems": [row], "kernels": [], "claims": [{"id": self.claim} | each for each in found],
        }  # fmt: skip
        results.write(folder / results.RESULTS, json.dumps(content, indent=1, allow_nan=False) + "\n")
        if interrupted:
            Console(stderr=True).print("Interrupted; what was finished is kept.")
            return 130
        return 1 if refuted else 0


@dataclass(frozen=True)
class New:
    """Write a small true lemma to a file, to be turned into your own; verify, falsify and certify take it.

    Executing such a file is executing its code: run only files that you trust.

    Example: ntkverify new claim mine.py, then ntkverify verify mine.py
    """

    what: tyro.conf.Positional[Literal["claim"]]
    """claim."""
    file: tyro.conf.Positional[Path]
    """The file to write, NAME.py."""

    def run(self, console: Console) -> int:
        if self.file.suffix != ".py" or not self.file.stem.isidentifier():
            raise BadInput(f"the name {self.file.name!r}", "a Python file's name", "my_lemma.py")
        if self.file.exists():
            raise BadInput(f"{self.file} is there already", "a name that is free", f"{self.file.stem}_2.py")
        template = Path(__file__).parent / "lemma_template.py"
        try:
            self.file.write_text(template.read_text("utf-8"), encoding="utf-8")
        except OSError as error:
            raise BadInput(f"{self.file}: {error.strerror}", "a folder that can be written") from None
        for verb in ("show", "verify", "falsify", "certify"):
            console.print(f"ntkverify {verb} {self.file}", highlight=False)
        return 0


@dataclass(frozen=True)
class Check:
    """Judge a file again: a saved point in 50 digits without the search, a certificate by code of its own.

    Exit code 1: the point refutes the claim, or the certificate proves nothing.

    Examples: ntkverify check runs/falsify-1a2b3c4d/worst-derived.npz
    ntkverify check runs/realise-1a2b3c4d/certificate.json
    """

    file: tyro.conf.Positional[Path]
    """A .npz file that `falsify` wrote, or a certificate.json of `realise`."""

    def run(self, console: Console) -> int:
        if self.file.suffix == ".json":
            return self._certificate(console)
        from ntkverify.arithmetic.arb import FIFTY_DIGITS
        from ntkverify.certifying.decision import REFUTED, decide
        from ntkverify.certifying.pointfile import load_point
        from ntkverify.ground.progress import set_up_jax

        set_up_jax("float64")
        form, problem, point, _ = load_point(self.file)
        decision = decide(form, problem, point, FIFTY_DIGITS)
        console.print(
            f"{form.id} \\[{form.form}] at this point: {decision.verdict}. {decision.sentence} {_between(decision)}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        return 1 if decision.verdict == REFUTED else 0

    def _certificate(self, console: Console) -> int:
        from ntkverify.convergence.checker import check
        from ntkverify.ground.progress import Progress

        with Progress() as bar:
            found = check(self.file, lambda done, total: bar("following gradient descent", done, total))
        table = Table("checked", "claimed", "found", "", box=None)
        for each in found.findings:
            table.add_row(each.what, f"{each.claimed:.12g}", f"{each.found:.12g}", "holds" if each.holds else "[bold red]fails[/bold red]")  # fmt: skip
        if found.findings:
            console.print(table)
        word = "[blue]accepted[/blue]" if found.accepted else "[bold red]rejected[/bold red]"
        console.print(f"{word}: {escape(found.sentence)}", highlight=False)
        return 0 if found.accepted else 1


@dataclass(frozen=True)
class Certify:
    """Decide claims at drawn points with every rounding enclosed (ball arithmetic), from the same formulas.

    Each draw is decided at its worst point.  `proved` speaks of exactly these floats, not of the whole ball.

    Example: ntkverify certify kernel-perturbation --n 8 --d-in 8 --m 256 --seeds 3
    """

    claims: tyro.conf.Positional[tuple[str, ...]] = ()
    """Claims to decide, as `list` prints them (default: all)."""
    settings: tyro.conf.OmitArgPrefixes[Settings] = dataclasses.field(
        default_factory=lambda: Settings(data=("sphere",), n=8, d_in=8, d_out=2, m=64, seeds=3)
    )
    out: Path | None = None
    """Folder for results.json (default: runs/certify-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    def run(self, console: Console) -> int:
        settings = _one_problem(self.settings)
        names = self.claims or catalogue.CLAIMS
        for name in names:
            catalogue.statements(name)

        from ntkverify.certifying.at_points import certify
        from ntkverify.ground import results
        from ntkverify.ground.progress import Progress, set_up_jax
        from ntkverify.verifying.instances import make_instance

        set_up_jax(settings.dtype)
        config = settings.config(claims=list(self.claims))
        folder = results.folder("certify", config, self.out, self.force)
        row, problem = make_instance(settings, settings.data[0], settings.network[0])
        with Progress() as heard:
            found = certify(names, problem, settings.seeds, settings.seed, heard)
        table = Table("claim", "form", "at the points", "log₁₀ ratio, enclosed", box=None)
        for claim in found["claims"]:
            low, high = claim["bracket"]["found"], claim["bracket"]["above"]
            span = "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
            table.add_row(claim["id"], claim["form"], claim["points"], span)
        console.print(table)
        for draw, (low, high) in enumerate(found["lambda_certified"]):
            ends = (f"{end:.17g}" if end is not None else "unknown" for end in (low, high))
            console.print(f"draw {draw}: λ_min(H(0)) between {' and '.join(ends)}", highlight=False)
        for claim in found["claims"]:
            if claim["verdict"] != "proved":
                console.print(
                    f"[dim]{claim['id']} \\[{claim['form']}]: {escape(claim['sentence'])}[/dim]", highlight=False
                )
        content = {
            "schema": results.SCHEMA,
            "verb": "certify",
            "config": config,
            "problems": [row],
            "kernels": [],
        } | found
        results.write(folder / results.RESULTS, json.dumps(content, indent=1, allow_nan=False) + "\n")
        console.print(f"results: {folder / results.RESULTS}", highlight=False, soft_wrap=True)
        if not found["complete"]:
            Console(stderr=True).print("Interrupted; what was finished is kept.")
            return 130
        return 1 if any(claim["verdict"] == "refuted" for claim in found["claims"]) else 0


def _one_problem(settings: Settings) -> Settings:
    """The settings, checked, for verbs that take one data set and one network."""
    settings = settings.checked()
    for option in ("data", "network"):
        if len(getattr(settings, option)) != 1:
            raise BadInput(
                f"--{option} {' '.join(getattr(settings, option))}",
                "exactly one here",
                f"--{option} {getattr(settings, option)[0]}",
            )
    catalogue.choose("network", settings.network[0], catalogue.ACTIVATIONS)
    catalogue.input_module(settings.data[0])
    return settings


_EVENT = " The point satisfies the event whose probability the form promises."


def _finite(value: float) -> float | None:
    """A ratio as JSON holds it; None where it is infinite, or the assumptions held nowhere."""
    return value if 0 <= value < float("inf") else None


def _ratio(value: float) -> str:
    return f"{value:.6g}" if value >= 0 else "none (the assumptions held at no point tried)"


def _between(decision) -> str:
    if decision.low is None or decision.high is None:
        return ""
    return f"log₁₀ ratio between {decision.low:.17g} and {decision.high:.17g}."


@dataclass(frozen=True)
class Doctor:
    """Say what this installation can do: versions, devices, precision, routes to the kernel.

    Example: ntkverify doctor
    """

    def run(self, console: Console) -> int:
        import jax

        from ntkverify.arithmetic.probe import sentence
        from ntkverify.ground.environment import available_memory, environment
        from ntkverify.ground.progress import has_float64, require_device
        from ntkverify.networks.kernels.neural_tangents import BridgeError, library

        require_device()
        jax.config.update("jax_enable_x64", True)
        found = environment()
        table = Table(box=None, show_header=False)
        for name in ("python", "system", "cores", "backend"):
            table.add_row(name, str(found[name]))
        table.add_row("devices", ", ".join(found["devices"]))
        table.add_row("float64", "works" if has_float64() else "not available on this device: use --dtype float32")
        kept = True
        for dtype in ("float32", "float64") if has_float64() else ("float32",):
            good, said = sentence(dtype)
            table.add_row(f"arithmetic in {dtype}", said)
            kept &= good
        memory = available_memory()
        table.add_row("free memory", f"{memory / 2**30:.1f} GiB" if memory else "unknown")
        for name, version in found["packages"].items():
            table.add_row(name, version or "not installed")
        try:
            library()
            table.add_row("neural-tangents routes", "work; this process's JAX is not altered")
        except BridgeError as error:
            table.add_row("neural-tangents routes", escape(f"left out: {error}"))
        console.print(table)
        return 0 if kept else 2


@dataclass(frozen=True)
class Report:
    """Draw report.html again from a folder's results.

    Example: ntkverify report runs/verify-1a2b3c4d
    """

    dir: tyro.conf.Positional[Path]
    """Folder that `verify` or `study` wrote."""

    def run(self, console: Console) -> int:
        from ntkverify.ground.results import load
        from ntkverify.report.page import draw_report
        from ntkverify.report.realisation import draw_realisation
        from ntkverify.report.study import draw_study

        draw = {"study": draw_study, "realise": draw_realisation}.get(load(self.dir)["verb"], draw_report)
        console.print(str(draw(self.dir)), highlight=False, soft_wrap=True)
        return 0


def _violations(found: dict) -> list[str]:
    return [
        f"{row['problem']}: {row['id']} [{row['form']}] is violated. {row['sentence']}"
        for row in found["claims"]
        if row["verdict"] == "violated"
    ] + [
        f"{row['problem']}: kernel routes {row['a']} and {row['b']} disagree in {row['dtype']}: "
        f"error {row['error']} above {row['tolerance']}."
        for row in found["kernels"]
        if row["agree"] is False
    ]


def summarise(console: Console, found: dict) -> None:
    """Print the tables of a `verify` run."""
    for problem in found["problems"]:
        key = problem["id"]
        console.print(
            f"\n[bold]{escape(key)}[/bold]  n={problem['n']} d_in={problem['d_in']} d_out={problem['d_out']} m={problem['m']} "
            f"σ={problem['sigma']:g}  λ(H(0))={_short(problem['lambda'])}  λ(K)={_short(problem['lambda_inf'])}",
            highlight=False,
        )
        console.print(f"  [dim]{escape(problem['origin'])}; {problem['scaling']}[/dim]", highlight=False)
        if problem["lambda_note"]:
            console.print(f"  [yellow]{problem['lambda_note']}[/yellow]", highlight=False)
        table = Table(box=None)
        for name in ("claim", "form", "verdict"):
            table.add_column(name, no_wrap=True)
        for name in ("applicable", "log₁₀ ratio"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in found["claims"]:
            if row["problem"] == key:
                style = _STYLES[row["verdict"]]
                table.add_row(
                    row["id"],
                    row["form"],
                    f"[{style}]{row['verdict']}[/{style}]",
                    f"{row['applicable']}/{row['draws']}",
                    _room(row),
                )
        console.print(table)
        for row in found["kernels"]:
            if row["problem"] == key and row["agree"] is None:
                console.print(
                    f"  {row['dtype']}: distance to the infinite-width kernel {_short(row['error'])}", highlight=False
                )
        for dtype in dict.fromkeys(row["dtype"] for row in found["kernels"]):
            pairs = [
                row
                for row in found["kernels"]
                if (row["problem"], row["dtype"]) == (key, dtype) and row["agree"] is not None
            ]
            if pairs:
                worst = max((row["error"] for row in pairs if row["error"] is not None), default=None)
                sample = f" (on {pairs[0]['sample']})" if pairs[0]["sample"] else ""
                console.print(
                    f"  {dtype}: {sum(row['agree'] for row in pairs)} of {len(pairs)} pairs of kernel routes agree, "
                    f"largest error {_short(worst)}, tolerance {pairs[0]['tolerance']:g}{sample}",
                    highlight=False,
                )
    unsettled: dict[tuple, list[str]] = {}
    for row in found["claims"]:
        if row["verdict"] not in ("holds", "proved", "violated"):
            key = row["problem"], row["verdict"], row["sentence"]
            unsettled.setdefault(key, []).append(f"{row['id']} \\[{row['form']}]")
    for (problem, verdict, sentence), claims in unsettled.items():
        console.print(f"[dim]{problem}: {verdict}: {', '.join(claims)}. {sentence}[/dim]", highlight=False)
    for line in found["left_out"]:
        console.print(f"[yellow]left out:[/yellow] {escape(line)}", highlight=False)
    for line in _violations(found):
        console.print(f"[bold red]{escape(line)}[/bold red]", highlight=False)
    console.print()


def _room(row: dict) -> str:
    """Median and worst log₁₀ ratio over the draws, where they have one."""
    if row["exponent"]:
        return "exponent {mean:.2f} [{low:.2f}, {high:.2f}]".format(**row["exponent"])
    median, worst = row["log10_ratio"]["median"], row["log10_ratio"]["worst"]
    if row["infinite"]:
        return "infinite"
    if worst is None:
        return "exact" if row["verdict"] == "holds" else ""
    return f"{median:.2f} to {worst:.2f}" if median is not None else f"to {worst:.2f}"


def _short(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3g}"


Verb = (
    Annotated[List, tyro.conf.subcommand("list")]
    | Annotated[Show, tyro.conf.subcommand("show")]
    | Annotated[Verify, tyro.conf.subcommand("verify")]
    | Annotated[Study, tyro.conf.subcommand("study")]
    | Annotated[Realise, tyro.conf.subcommand("realise")]
    | Annotated[Falsify, tyro.conf.subcommand("falsify")]
    | Annotated[New, tyro.conf.subcommand("new")]
    | Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[Certify, tyro.conf.subcommand("certify")]
    | Annotated[Doctor, tyro.conf.subcommand("doctor")]
    | Annotated[Report, tyro.conf.subcommand("report")]
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        spell_out(stream)
    try:
        verb = tyro.cli(
            Verb,  # type: ignore[arg-type]
            prog="ntkverify",
            description="Takes a theorem about a wide network and tells, with evidence, whether it holds, how loose it is, and where it breaks.",
            args=arguments,
        )
        return _run(verb)
    except BadInput as error:
        print("ntkverify:", *str(error).split(), file=sys.stderr)  # one line, whatever a name holds
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        forsake_stdout()
        return 0
    except Exception as error:  # a crash is no finding: 1 says that something is violated
        leave_traceback(error)
        return CRASHED


def _run(verb) -> int:
    try:
        return verb.run(Terminal(width=max(Console().width, 100)))
    except SystemExit as exit:  # the option parser's own are raised above; another would be taken for an answer
        raise RuntimeError(f"sys.exit({exit.code!r}) was called") from exit
