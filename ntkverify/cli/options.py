"""What can be typed: the options of each verb, their help, and what of them is refused before JAX is started."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from ntkverify import catalogue
from ntkverify.cli.asked import Asked
from ntkverify.cli.reading import device_count, known, part, refuse_several
from ntkverify.convergence.options import Options
from ntkverify.ground.errors import BadInput
from ntkverify.ground.settings import Settings


@dataclass(frozen=True)
class List(Asked):
    """List the claims: what they say, where they come from, in which form.

    Where stdout is no terminal, a form is one line, with its formula, and tabs stand between the columns.

    Examples:
      ntkverify list --theorem certificate
      ntkverify list --network tanh -k eigenvalue --formulas
      ntkverify list 'kernel-*'
      ntkverify list "Lemma 5.1"
    """

    claims: tyro.conf.Positional[tuple[str, ...]] = ()
    """Only these: claims, theorems, patterns ('kernel-*'), sources ("Lemma 5.1") or files of your own."""
    theorem: str | None = None
    """Only the claims of this theorem."""
    network: str | None = None
    """Only claims that speak of this network; of a file NAME.py, which is not executed, those about any network."""
    word: Annotated[str | None, tyro.conf.arg(aliases=["-k"])] = None
    """Only forms with this word, in small or capital letters, in their name, title, statement or source."""
    formulas: bool = False
    """Print what each form states below it."""

    def refuse(self) -> None:
        known(self.claims)
        if self.theorem is not None:
            catalogue.theorem(self.theorem)
        if self.network is not None:
            catalogue.known_network(self.network)


@dataclass(frozen=True)
class Show(Asked):
    """Show a claim in full: setting, statement, proof, how it is measured; or a theorem with its claims.

    Examples:
      ntkverify show kernel-perturbation
      ntkverify show "Lemma 5.1"
      ntkverify show criteria
    """

    claim: tyro.conf.Positional[str]
    """A claim or a theorem, as `list` prints it, a pattern ('kernel-*'), a source ("Lemma 5.1") or a file of your own."""

    def refuse(self) -> None:
        known([self.claim])


@dataclass(frozen=True)
class Verify(Asked):
    """Check claims on draws of the network, compare kernel routes, write a report.

    With --certify each claim is then decided with every rounding enclosed, at the worst points of three
    draws and at the worst that a short search finds: `proved` speaks of exactly these points.

    Exit code 0: nothing violated; 1: something violated; 2: bad input; 70: an error of the program; 130: interrupted.

    Examples:
      ntkverify verify --data digits --n 24 --d-out 3 --m 2048 --out digits
      ntkverify verify "Lemma 5.1" 'relu-*' --data iris
    """

    claims: tyro.conf.Positional[tuple[str, ...]] = ()
    """Claims or theorems to check, as `list` prints them, patterns ('kernel-*'), sources ("Lemma 5.1"), or files of your own
    (default: all)."""
    settings: tyro.conf.OmitArgPrefixes[Settings] = dataclasses.field(default_factory=Settings)
    certify: bool = False
    """Decide points with every rounding enclosed; counterexamples are written to files that `check` judges."""
    certify_seconds: float = 1.0
    """With --certify: seconds of search for each form that can be searched, compiling aside (0: none)."""
    devices: str = "all"
    """How many devices share the draws: a number, or all (JAX_NUM_CPU_DEVICES=8 makes eight of one CPU)."""
    process: str = "1/1"
    """K/N: this is process K of N of one command, each on its own devices; or auto, as SLURM and others say."""
    coordinator: str | None = None
    """With --process K/N: HOST:PORT at which process 1 listens."""
    out: Path | None = None
    """Folder for results.json, draws.csv and report.html (default: runs/verify-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    def refuse(self) -> None:
        self.settings.checked()
        known(self.claims)
        for name in self.settings.network:
            catalogue.known_network(name)
        for name in self.settings.data:
            catalogue.input_module(name)
        if not 0 <= self.certify_seconds < float("inf"):
            raise BadInput(f"--certify-seconds {self.certify_seconds}", "a number of seconds, 0 for no search", "--certify-seconds 1")  # fmt: skip
        device_count(self.devices)
        if self.coordinator is not None and self.process in ("1/1", "auto"):
            raise BadInput(f"--coordinator {self.coordinator} with --process {self.process}", "--process K/N beside it", "--process 1/2")  # fmt: skip
        if self.process != "auto" and part("process", self.process)[1] > 1 and not self.coordinator:
            raise BadInput(f"--process {self.process} without --coordinator", "the address at which process 1 listens", "--coordinator 127.0.0.1:7650")  # fmt: skip


@dataclass(frozen=True)
class Study(Asked):
    """Answer a question by training many networks over a grid; resumable.

    The same command goes on where it stopped; finished cells are kept in ledger.sqlite.
    """

    name: tyro.conf.Positional[str]
    """The study, by its name above."""
    data: str | None = None
    """What the study diffusion learns: mixture, gaussian, moons, swissroll or digits (default: mixture)."""
    preset: str = "quick"
    """quick (minutes), paper (what docs/results/ holds), large (n up to 64, ten draws of the data: an hour)."""
    grid: tuple[str, ...] = ()
    """Changes to the preset's grid, as NAME=VALUE or NAME=VALUE,VALUE,...; a wrong name lists them all."""
    out: Path | None = None
    """Folder for the ledger, results.json, report.html and figures/ (default: runs/study-<configuration>)."""
    status: bool = False
    """Only say how many cells are finished."""
    workers: int | None = None
    """Evaluate cells on so many processes of this machine, one thread each (needs the extra `distributed`)."""
    scheduler: str | None = None
    """Evaluate cells on the workers of a Dask scheduler, such as tcp://host:8786."""
    shard: str = "1/1"
    """K/N: evaluate every Nth cell only, from the Kth on; `ntkverify merge` puts the shards together."""
    devices: str = "all"
    """How many devices share the networks of a cell: a number, or all."""
    force: bool = False
    """Replace the results of another configuration in --out (its cells stay in the ledger)."""

    @property
    def part(self) -> tuple[int, int]:
        """(K, N) of `shard`."""
        return part("shard", self.shard)

    def refuse(self) -> None:
        catalogue.known_study(self.name)
        _ = self.part, device_count(self.devices)
        if self.workers is not None and self.workers < 1:
            raise BadInput(f"--workers {self.workers}", "a whole number of at least 1", "--workers 2")
        if self.workers is not None and self.scheduler is not None:
            raise BadInput("--workers and --scheduler", "one of them: a scheduler has workers of its own")
        if self.devices != "all" and (self.workers, self.scheduler) != (None, None):
            raise BadInput(f"--devices {self.devices} with workers", "either: each worker has its own devices")


@dataclass(frozen=True)
class Merge(Asked):
    """Put the ledgers of a study's shards into one folder, and draw its report.

    Cells that several folders have must agree. Nothing is evaluated: what is missing is said.

    Example:
      ntkverify merge runs/study-1a2b3c4d-1-of-2 runs/study-1a2b3c4d-2-of-2 --out width
    """

    dirs: tyro.conf.Positional[tuple[Path, ...]]
    """Folders that `study` wrote."""
    out: Path | None = None
    """Folder for the whole (default: runs/study-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out (its cells stay in the ledger)."""

    def refuse(self) -> None:
        if not self.dirs:
            raise BadInput("no folders", "those of a study's shards", "ntkverify merge DIR DIR")


@dataclass(frozen=True)
class _Question:
    """The data and the network of `realise`."""

    data: str = "orthonormal"
    """orthonormal, sphere, digits, … or a .npz, .csv or .tsv file."""
    network: str = "softmax"
    """softmax, softmax-bias, exponential, tanh, sigmoid, swish, softplus, gelu, erf; attention, softmax-heads, patches
    (--data tokens, digits-rows)."""
    init: Literal["coupled", "independent"] = "coupled"
    """coupled pairs of neurons, or all drawn apart (the output is then shifted by −F(0))."""
    n: int | None = None
    """Number of samples."""
    d_in: int | None = None
    """Input dimension."""
    d_out: int | None = None
    """Output dimension."""


@dataclass(frozen=True)
class Realise(Options, _Question, Asked):
    """Certify that gradient descent converges from given floats, then run it and look.

    Finds the smallest width (and σ) at which every hypothesis of docs/proofs/convergence.md is proved with every
    rounding enclosed, writes certificate.json and .bin, trains at that width and step size, and reports each hypothesis
    with its margin. `ntkverify check certificate.json` verifies the certificate with other code.

    Examples:
      ntkverify realise --data orthonormal
      ntkverify realise --data sphere --n 8 --d-in 4 --d-out 4
      ntkverify realise --data sphere --n 8 --d-in 4 --d-out 4 --follow 2048
      ntkverify realise --data digits --n 64 --d-out 10 --network tanh --train
    """

    trained: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """A .npz file with the trained W (d_in, m) and signs a (d_out, m): certify gradient descent from there."""
    out: Path | None = None
    """Folder for certificate.json, results.json and report.html (default: runs/realise-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    @property
    def settings(self) -> Settings:
        """Those of the problem; what is not given is as in `Settings`."""
        given = {name: value for name in ("m", "sigma") if (value := getattr(self, name)) is not None}
        sizes = {name: getattr(self, name) for name in ("n", "d_in", "d_out", "seed", "init")}
        return Settings(data=(self.data,), network=(self.network,), **given, **sizes)

    def refuse(self) -> None:
        for name in ("keep", "theta", "accuracy"):
            if not 0 < getattr(self, name) < 1:
                raise BadInput(f"--{name} {getattr(self, name)}", "a number strictly between 0 and 1", f"--{name} 0.1")
        if ((self.trained is not None or self.train) and self.follow) or (self.trained is not None and self.train):
            raise BadInput("several of --from, --train and --follow", "one kind of start", "leaving the others out")
        if self.trained is not None and self.m is not None:
            raise BadInput("--from with --m", "the width that the file has", "leaving --m out")
        if self.follow < 0:
            raise BadInput(f"--follow {self.follow}", "a number of steps of at least 0", "--follow 1024")
        for name in ("max_width", "budget"):
            if getattr(self, name) < 2:
                raise BadInput(f"--{name.replace('_', '-')} {getattr(self, name)}", "a whole number of at least 2")
        refuse_several(self.settings)


@dataclass(frozen=True)
class Falsify(Asked):
    """Search the worst point of an inequality, and write it to a file that `check` judges.

    Free are W̃ in its balls, W, the inputs on their spheres and the signs.  A form that holds with a
    probability because its assumptions do is searched where they hold.  Beside the worst point stand the
    smallest constants that the search leaves standing: lower bounds on the smallest true ones, no proof.
    Small sizes unless others are given: n = 4, and on the sphere d_in = 4, d_out = 2.

    Exit code 1: a counterexample was found and confirmed with every rounding enclosed.

    Example:
      ntkverify falsify kernel-perturbation --n 4 --d-in 4 --d-out 2 --m 32 --radius 0.1 --budget 20
    """

    claim: tyro.conf.Positional[str]
    """The claim, as `list` prints it, its source ("Lemma 5.1") or a file of your own; each form that can be searched is."""
    settings: tyro.conf.OmitArgPrefixes[Settings] = dataclasses.field(
        default_factory=lambda: Settings(data=("sphere",), m=32)
    )
    budget: float = 20.0
    """Seconds of search for each form, compiling aside, and a quarter of it for each of its constants."""
    out: Path | None = None
    """Folder for the points found (default: runs/falsify-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    def refuse(self) -> None:
        refuse_several(self.settings)
        catalogue.statements(catalogue.one(self.claim))
        if not 0 < self.budget < float("inf"):
            raise BadInput(f"--budget {self.budget}", "a number of seconds above 0", "--budget 20")


@dataclass(frozen=True)
class New(Asked):
    """Write a small true lemma, or a network, to a file, to be turned into your own.

    A lemma goes to verify, falsify and certify, a network to --network of every verb but realise, and to studies.
    Executing such a file is executing its code: run only files that you trust.

    Examples:
      ntkverify new claim mine.py, then ntkverify verify mine.py
      ntkverify new network net.py, then ntkverify verify --network net.py --m 32 --n 6 --data sphere
      ntkverify new network block.py --like transformer
    """

    what: tyro.conf.Positional[Literal["claim", "network"]]
    """claim or network."""
    file: tyro.conf.Positional[Path]
    """The file to write, NAME.py."""
    like: Literal["mlp", "mlp-standard", "transformer", "cnn"] = "mlp"
    """Which network: three layers in NTK or in standard parameterisation, a transformer block (for sequences of tokens),
    or a small convolutional network (for square images)."""


@dataclass(frozen=True)
class Check(Asked):
    """Judge a file again: a saved point in 50 digits without the search, a certificate by code of its own.

    Exit code 1: the point refutes the claim, or the certificate proves nothing.

    Examples:
      ntkverify check runs/falsify-1a2b3c4d/worst-derived.npz
      ntkverify check runs/realise-1a2b3c4d/certificate.json
    """

    file: tyro.conf.Positional[Path]
    """A .npz file that `falsify` wrote, or a certificate.json of `realise`."""


@dataclass(frozen=True)
class Certify(Asked):
    """Decide claims at drawn points with every rounding enclosed (ball arithmetic), from the same formulas.

    Each draw is decided at its worst point.  `proved` speaks of exactly these floats, not of the whole ball.
    Small sizes unless others are given: n = 8, and on the sphere d_in = 8, d_out = 2.

    Example:
      ntkverify certify kernel-perturbation --n 8 --d-in 8 --m 256 --seeds 3
    """

    claims: tyro.conf.Positional[tuple[str, ...]] = ()
    """Claims or theorems to decide, as `list` prints them, patterns ('kernel-*'), sources ("Lemma 5.1"), or files of your own
    (default: all)."""
    settings: tyro.conf.OmitArgPrefixes[Settings] = dataclasses.field(
        default_factory=lambda: Settings(data=("sphere",), m=64, seeds=3)
    )
    out: Path | None = None
    """Folder for results.json (default: runs/certify-<configuration>)."""
    force: bool = False
    """Replace the results of another configuration in --out."""

    def refuse(self) -> None:
        refuse_several(self.settings)
        known(self.claims)


@dataclass(frozen=True)
class Doctor(Asked):
    """Say what this installation can do: versions, devices, precision, routes to the kernel.

    Example:
      ntkverify doctor
    """


@dataclass(frozen=True)
class Docs(Asked):
    """Open the documentation, which `make docs` builds, and print its path.

    Example:
      ntkverify docs --no-open
    """

    open: bool = True
    """Open it in a browser; without, on servers, its path is printed."""


@dataclass(frozen=True)
class Report(Asked):
    """Draw report.html again from a folder's results.

    Example:
      ntkverify report runs/verify-1a2b3c4d
    """

    dir: tyro.conf.Positional[Path]
    """Folder that `verify`, `study`, `realise`, `certify` or `falsify` wrote."""


@dataclass(frozen=True)
class Export(Asked):
    """Write a run's results for a paper: tables with the setting and the command that repeats them, figures at column width.

    latex: tables/, figures/ as PDF, references.bib, and paper.tex, which compiles by itself; markdown, json: the tables;
    pdf, png: the figures, fonts embedded, 300 dots an inch.

    Examples:
      ntkverify export runs/verify-1a2b3c4d
      ntkverify export runs/study-1a2b3c4d --to png --width 6.75
    """

    dir: tyro.conf.Positional[Path]
    """Folder that `verify`, `study`, `realise`, `certify` or `falsify` wrote."""
    to: Literal["latex", "markdown", "json", "pdf", "png"] = "latex"
    """What to write."""
    out: Path | None = None
    """Where (default: paper/ in the folder)."""
    width: float = 3.25
    """Width of figures in inches: 3.25 is a column of two, 6.75 both."""

    def refuse(self) -> None:
        if not 1 <= self.width <= 20:
            raise BadInput(f"--width {self.width}", "a number of inches from 1 to 20", "--width 3.25")


@dataclass(frozen=True)
class Compare(Asked):
    """Say what differs between two runs of a verb: verdicts, ratios and exponents whose intervals have no number in common,
    configuration, versions of packages.

    Exit code 1: a verdict turned to violated or refuted; 0: none did.

    Example:
      ntkverify compare runs/verify-1a2b3c4d runs/verify-5e6f7a8b
    """

    before: tyro.conf.Positional[Path]
    """Folder of the first run."""
    after: tyro.conf.Positional[Path]
    """Folder of the second run."""
