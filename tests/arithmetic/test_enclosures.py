"""Enclosures: they contain the truth, agree with the computed rounding bounds, and decide only what they know."""

import dataclasses
import json

import flint
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from conftest import make
from hypothesis import given, settings
from hypothesis import strategies as st

from ntkverify import catalogue
from ntkverify.arithmetic.arb import ARB, FIFTY_DIGITS, enclosed, precision
from ntkverify.arithmetic.interpreter import OPERATIONS
from ntkverify.arithmetic.primitives import given_p, second_order
from ntkverify.arithmetic.rules import RULES
from ntkverify.arithmetic.running import with_error
from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.certifying.decision import PROVED, REFUTED, UNDECIDED, decide
from ntkverify.certifying.pointfile import load_point, save_point
from ntkverify.cli import main as cli
from ntkverify.ground.errors import BadInput
from ntkverify.judging.draws import chunks
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import ON_PATH, Params, Point
from ntkverify.searching.climbing import OUTSIDE, height, proposals
from ntkverify.searching.falsifying import conditional, falsify, is_searchable, searchable
from ntkverify.searching.tightening import tightest

FORMS = [form for name in catalogue.CLAIMS for form in catalogue.claims(name) if form.direction != "order"]


@pytest.fixture(scope="module")
def problem():
    return make(n=3, d_in=3, d_out=2, m=8, radius=0.1)


@pytest.fixture(scope="module")
def points(problem):
    places = {where: next(chunks(problem, 1, 0, where))[1] for where in ("ball", ON_PATH)}
    return {where: jax.tree.map(lambda leaf: leaf[0, 1], found) for where, found in places.items()}


def constants(form):
    return {name: jnp.asarray(value) for name, value in form.constants.items()}


@pytest.fixture
def follow(monkeypatch):
    """Where a formula says `given`, draws take the float at hand and enclosures the number itself: two statements.  After
    `follow()` enclosures take the floats of the draws."""
    taken, usual, leading = [], RULES[given_p], [True]

    def rule(arith, equation, x):
        found = usual(arith, equation, x)
        middle = np.vectorize(float, otypes=[float])(arith.middle(found))
        if leading:
            taken.append(middle)
            return found
        known = [(_apart(each, middle), each) for each in taken if each.shape == middle.shape]
        distance, nearest = min(known, key=lambda pair: pair[0])
        assert distance <= 1e-9
        return arith.exact(nearest)

    monkeypatch.setitem(RULES, given_p, rule)
    return leading.clear


def _apart(a, b) -> float:
    return np.max(np.abs(a - b), initial=0) / max(np.max(np.abs(b), initial=0), 1e-300)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.id}-{form.form}")
@pytest.mark.slow
def test_every_claim_is_enclosed_within_its_rounding_bound(form, problem, points, follow):
    """Two routes to the error of a formula: balls of 128 bits, and the running bounds of float64."""
    point = points[ON_PATH if form.where == ON_PATH else "ball"]
    bounded = [with_error(side)(problem, point, constants(form)) for side in (form.lhs, form.rhs)]
    follow()
    for side, (value, bound) in zip((form.lhs, form.rhs), bounded, strict=True):
        balls = enclosed(side)(problem, point, constants(form))
        for ball, near, error in zip(np.ravel(balls), np.ravel(value), np.ravel(bound), strict=True):
            assert not abs(ball - float(near)) > float(error)
            assert float(ball.rad()) <= 1e-25 * max(1.0, abs(float(ball.mid())))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 7), st.integers(0, 10**6), st.sampled_from([0.0, 1e-9, 1.0]), st.sampled_from([1e-6, 1.0, 1e6]))
def test_eigenvalues_are_inside_their_balls(size, seed, spread, scale):
    """Repeated and zero eigenvalues included: spread 0 makes all but one equal to 0."""
    rng = np.random.default_rng(seed)
    v = rng.integers(-3, 4, (size, 1)).astype(float)
    noise = rng.standard_normal((size, size))
    A = scale * (v @ v.T + spread * (noise + noise.T))
    with precision(FIFTY_DIGITS):
        balls = ARB.eigenvalues(np.array([[flint.arb(entry) for entry in row] for row in A], object))
        truth = sorted(mpmath.eigsy(mpmath.matrix(A.tolist()), eigvals_only=True))
        for ball, value in zip(balls, truth, strict=True):
            near = flint.arb(mpmath.nstr(value, 50))
            assert abs(ball - near) <= 1e-38 * max(1.0, np.abs(A).max())
            assert float(ball.rad()) <= 1e-12 * max(1.0, np.abs(A).max())


def test_a_series_that_is_cut_off_stands_for_the_function_that_it_means():
    z = jnp.asarray([1e-9, 0.0199, -0.0199, 0.5])
    for ball, entry in zip(enclosed(second_order, FIFTY_DIGITS)(z), z, strict=True):
        with precision(FIFTY_DIGITS):
            assert (ball - (flint.arb(float(entry)).expm1() - flint.arb(float(entry)))).contains(0)
    value, bound = with_error(second_order)(z)
    for near, error, ball in zip(value, bound, enclosed(second_order)(z), strict=True):
        assert abs(ball - float(near)) <= float(error)


def test_an_operation_without_enclosure_is_named(problem, points):
    with pytest.raises(UnknownOperation, match="digamma"):
        enclosed(jax.scipy.special.digamma)(jnp.ones(2))
    form = dataclasses.replace(FORMS[3], lhs=lambda p, q, c: jax.scipy.special.digamma(p.X))
    decision = decide(form, problem, points["ball"])
    assert decision.verdict == UNDECIDED
    assert "digamma" in decision.sentence
    assert "dot_general" in OPERATIONS


def scaled(seed: int, scale: float, twice: bool):
    """A small problem; inputs may repeat, weights are N(0, scale²)."""
    rng = np.random.default_rng(seed)
    problem = make(n=3, d_in=2, d_out=1, m=4, seed=seed, sigma=scale, radius=float(rng.choice([1e-6, 0.1, 1.0])))
    if twice:
        problem = dataclasses.replace(problem, X=problem.X.at[1].set(problem.X[0]))
    base = initialise(problem, jax.random.key(seed))
    wander = rng.standard_normal(base.W.shape)
    wander *= float(problem.radius) / np.linalg.norm(wander, axis=0, keepdims=True)
    return problem, Point(base, Params(base.W + wander, base.a), jnp.ones_like(problem.y))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-6, 0.1, 1.0, 5.0, 1e3]), st.booleans(), st.integers(0, 10**6))
@pytest.mark.slow
def test_decisions_never_contradict_fifty_digits(seed, scale, twice, pick):
    """A claim, its twin, or it with a right side within 1e-12 of the left: 64 bits never say otherwise than 170."""
    problem, point = scaled(seed, scale, twice)
    forms = [form for form in FORMS if form.where != ON_PATH and form.direction != "equality"]
    form = forms[pick % len(forms)]
    twin = (form, *(form.mutated(twin) for twin in form.twins))[pick % (1 + len(form.twins))]
    rough, fine = (decide(twin, problem, point, bits).verdict for bits in (64, FIFTY_DIGITS))
    assert (rough, fine) not in ((PROVED, REFUTED), (REFUTED, PROVED))
    if twin is form and scale <= 5 and form.statement.promise == "1":
        assert fine != REFUTED


@pytest.mark.parametrize("name", ["kernel-perturbation", "gradient-bound", "softmax-perturbation"])
@pytest.mark.slow
def test_search_beats_drawing_and_refutes_what_it_attains(name, problem):
    form = next(form for form in catalogue.claims(name) if form.form == "derived")
    best = falsify(form, problem, 0.1)
    assert best.ratio >= best.drawn
    assert best.ratio <= 1
    assert decide(form, best.problem, best.point).verdict == PROVED
    below = dataclasses.replace(form, rhs=lambda p, q, c: form.rhs(p, q, c) * best.ratio / 1.1)
    assert decide(below, best.problem, best.point).verdict == REFUTED
    moved = jnp.sqrt(jnp.sum((best.point.moved.W - best.point.base.W) ** 2, axis=0))
    assert jnp.all(moved <= problem.radius)
    assert jnp.allclose(jnp.sum(best.problem.X**2, axis=1), 1)


def test_a_claim_that_cannot_be_differentiated_is_searched_by_random_moves(problem):
    form = next(form for form in catalogue.claims("kernel-entries"))

    def blocked(p, q, c):
        start = form.lhs(p, q, c)
        return jax.lax.while_loop(lambda x: jnp.sum(x) < -jnp.inf, lambda x: x, start)

    best = falsify(dataclasses.replace(form, lhs=blocked), problem, 0.1)
    assert 1 >= best.ratio > best.drawn + 0.05 > 0.05


@pytest.mark.slow
def test_random_moves_stay_in_the_set_that_is_searched(problem):
    keys = jax.random.split(jax.random.key(1), 64)
    points = next(chunks(problem, 1, 0))[1]
    first = problem.X, points.base.W[0, 0], points.moved.W[0, 0] - points.base.W[0, 0], points.base.a[0, 0]
    X, _, move, a = proposals(problem, jax.tree.map(lambda leaf: jnp.stack([leaf] * 64), first), keys)
    assert jnp.allclose(jnp.sum(X**2, axis=2), 1)
    assert jnp.all(jnp.sqrt(jnp.sum(move**2, axis=1)) <= problem.radius)
    assert jnp.all(jnp.abs(a) == 1)
    changed = [len(np.unique(np.asarray(leaf).reshape(64, -1), axis=0)) for leaf in (X, move, a)]
    assert min(changed) > 5


def test_the_ratio_of_two_rounding_errors_is_not_searched(problem):
    form = next(form for form in catalogue.claims("kernel-entries"))
    place = problem.X, *(jnp.zeros((3, 8)),) * 2, jnp.ones((2, 8))
    for small, expected in (([1.0, 1e-17], 0.5), ([1.0, 1e-5], jnp.inf)):
        told = dataclasses.replace(
            form, lhs=lambda p, q, c, s=small: jnp.array(s), rhs=lambda p, q, c: jnp.array([2.0, 0])
        )
        assert height(told, problem, place, {}) == expected


CONDITIONAL = [form for name in catalogue.CLAIMS for form in catalogue.claims(name) if conditional(form)]


def test_six_forms_are_certain_where_their_event_happens():
    found = [form.id for form in CONDITIONAL if is_searchable(form)]
    assert found == [
        "softmax-range", "softmax-perturbation", "projection-perturbation", "gradient-bound", "kernel-perturbation",
        "convex-region",
    ]  # fmt: skip


def test_a_ratio_counts_only_where_the_event_happens():
    """Without its assumption R ≤ 0.01 the form may be refuted; points outside are no counterexamples."""
    form = next(form for form in CONDITIONAL if form.id == "projection-perturbation")
    tiny = dataclasses.replace(form, constants={**form.constants, "power": 0.0, "R": 0.001})
    outside = falsify(tiny, make(n=3, d_in=3, d_out=2, m=8, radius=0.1), 0.1)
    assert outside.ratio == OUTSIDE
    assert tightest(tiny, outside.problem, outside, 0.1) == []


def test_the_tightest_constants_are_those_that_the_search_leaves_standing():
    form = next(form for form in CONDITIONAL if form.id == "softmax-perturbation")
    problem = make(n=3, d_in=3, d_out=2, m=8, radius=0.01)
    found = falsify(form, problem, 0.1)
    rows = {row["constant"]: row for row in tightest(form, problem, found, 0.1)}
    assert set(rows) == {"factor", "power", "C"}
    assert 0 < rows["power"]["standing"] < rows["power"]["printed"] == 4
    assert rows["factor"]["standing"] == found.ratio
    assert rows["factor"]["orders"] == pytest.approx(-np.log10(found.ratio))
    below = falsify(form, problem, 0.1, changed={"power": 0.5 * rows["power"]["standing"]}, known=found.places)
    assert below.ratio > 1
    (factor,) = tightest(form, problem, below, 0.1)
    assert factor["standing"] == below.ratio
    assert factor["orders"] < 0


@pytest.mark.parametrize("form", [*[form for form in FORMS if form.where == ON_PATH][:2], FORMS[0]], ids=lambda f: f.id)
def test_claims_without_free_variables_are_refused(form):
    with pytest.raises(BadInput, match="no free variables"):
        searchable(form)


def test_a_saved_point_is_judged_again_and_an_edited_one_refused(problem, points, tmp_path, capsys):
    form = next(form for form in catalogue.claims("kernel-perturbation") if form.form == "derived")
    path = tmp_path / "worst.npz"
    save_point(path, form, problem, points["ball"], {"ratio": 0.5})
    again, loaded, point, note = load_point(path)
    assert (again.id, note) == (form.id, {"ratio": 0.5})
    assert decide(again, loaded, point).verdict == decide(form, problem, points["ball"]).verdict == PROVED
    assert cli.main(["check", str(path)]) == 0
    assert "proved" in capsys.readouterr().out
    with np.load(path) as stored:
        arrays = dict(stored)

    def rewrite(name, changes):
        np.savez(tmp_path / f"{name}.npz", **(arrays | changes))  # type: ignore[arg-type]

    edits = {
        "W": arrays["W"] + 1e-15, "X": arrays["X"][::-1], "radius": arrays["radius"] * 2,
        "about": np.array(json.dumps(json.loads(str(arrays["about"])) | {"form": "reconstructed"})),
    }  # fmt: skip
    for name, value in edits.items():
        rewrite("edited", {name: value})
        assert cli.main(["check", str(tmp_path / "edited.npz")]) == 2
        assert "edited" in capsys.readouterr().err
    about = json.loads(str(arrays["about"])) | {"schema": 99}
    rewrite("other", {"about": np.array(json.dumps(about))})
    (tmp_path / "short.npz").write_bytes(path.read_bytes()[:200])
    (tmp_path / "text.npz").write_text("not a point")
    np.savez(tmp_path / "less.npz", X=arrays["X"])
    for name, said in (
        ("other", "another version"),
        ("short", "damaged"),
        ("text", "damaged"),
        ("less", "damaged"),
        ("no", "no file"),
    ):
        assert cli.main(["check", str(tmp_path / f"{name}.npz")]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_verbs_run_and_write(tmp_path, capsys):
    small = ["--n", "3", "--d-in", "3", "--d-out", "1", "--m", "8"]
    assert cli.main(["falsify", "gradient-bound", *small, "--budget", "0.1", "--out", str(tmp_path / "f")]) == 0
    assert cli.main(["check", str(tmp_path / "f" / "worst-derived.npz")]) == 0
    (problem,) = json.loads((tmp_path / "f" / "results.json").read_text())["problems"]
    assert (problem["data"], problem["n"]) == ("sphere", 3)
    words = ["certify", "kernel-entries", "loss-identity", "kernel-limit", *small, "--seeds", "2"]
    assert cli.main([*words, "--out", str(tmp_path / "c")]) == 0
    capsys.readouterr()
    results = json.loads((tmp_path / "c" / "results.json").read_text())
    verdicts = {row["id"]: row["verdict"] for row in results["claims"]}
    assert verdicts == {"kernel-entries": PROVED, "loss-identity": UNDECIDED, "kernel-limit": UNDECIDED}
    assert results["claims"][0]["bracket"]["proved"] is True


@pytest.mark.slow
def test_the_template_goes_through_all_verbs(tmp_path, capsys):
    mine = str(tmp_path / "my_lemma.py")
    small = ["--data", "sphere", "--n", "3", "--d-in", "3", "--d-out", "1", "--m", "8"]
    assert cli.main(["new", "claim", mine]) == 0
    assert cli.main(["new", "claim", mine]) == 2
    assert cli.main(["show", mine]) == 0
    assert cli.main(["verify", mine, *small, "--seeds", "20", "--out", str(tmp_path / "v")]) == 0
    (row,) = json.loads((tmp_path / "v" / "results.json").read_text())["claims"]
    assert (row["id"], row["verdict"]) == ("my-lemma", "holds")
    assert "Cauchy" in (tmp_path / "v" / "report.html").read_text()
    assert cli.main(["falsify", mine, *small, "--budget", "0.1", "--out", str(tmp_path / "f")]) == 0
    assert [row["id"] for row in json.loads((tmp_path / "f" / "results.json").read_text())["claims"]] == ["my-lemma"]
    assert cli.main(["check", str(tmp_path / "f" / "worst-derived.npz")]) == 0
    assert cli.main(["certify", mine, *small, "--seeds", "1", "--out", str(tmp_path / "c")]) == 0
    capsys.readouterr()
    text = (tmp_path / "my_lemma.py").read_text()
    (tmp_path / "false_lemma.py").write_text(text.replace("return distance(point) *", "return 0.9 * distance(point) *"))
    assert (
        cli.main(["falsify", str(tmp_path / "false_lemma.py"), *small, "--budget", "0.1", "--out", str(tmp_path / "g")])
        == 1
    )
    assert cli.main(["check", str(tmp_path / "g" / "counterexample-derived.npz")]) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "    return distance(point)",
            "    raise RuntimeError('no')\n    return distance(point)",
            "raised RuntimeError (line 24 of mine.py): no",
        ),
        ("jnp.max(jnp.abs(logits", "jnp.max(jnp.abs(lgits", "raised NameError"),
        ("import jax.numpy as jnp\n", "import jax.numpy as jnp\n1 / 0\n", "ZeroDivisionError"),
        ("import jax.numpy as jnp\n", "import jax.numpy as jnp\nx = = 1\n", "invalid syntax"),
        (
            "    return distance(point)",
            "    return jnp.ones(7) * jnp.ones((1,))[0] > 0\n    return distance(point)",
            "gives bool",
        ),
        (
            "    return jnp.max(jnp.abs(",
            "    return jnp.ones(5)[:, None] * jnp.ones((1, 7)) + 0 * jnp.sum(jnp.abs(",
            "",
        ),
        ("[derived]", "[proved]", "wanted"),
        ("Proof:", "Proofs:", "wanted"),
    ],
)
def test_a_lemma_that_cannot_run_is_refused(old, new, said, tmp_path, capsys):
    mine = tmp_path / "mine.py"
    cli.main(["new", "claim", str(mine)])
    text = mine.read_text()
    assert old in text
    mine.write_text(text.replace(old, new))
    small = ["--data", "sphere", "--n", "3", "--d-in", "3", "--d-out", "1", "--m", "8", "--seeds", "20"]
    code = cli.main(["verify", str(mine), *small, "--out", str(tmp_path / "v")])
    assert code == (2 if said else 1)
    assert said in capsys.readouterr().err
    assert cli.main(["verify", str(tmp_path / "gone.py"), *small]) == 2
    assert "no file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["falsify", "neuron-sum"], "no free variables"),
        (["falsify", "exponents"], "no free variables"),
        (["falsify", "kernel-perturbaton"], "kernel-perturbation"),
        (["falsify", "kernel-perturbation", "--budget", "0"], "seconds above 0"),
        (["falsify", "kernel-perturbation", "--budget", "nan"], "seconds above 0"),
        (["certify", "--data", "sphere", "digits"], "exactly one"),
        (["certify", "nothing"], "`ntkverify list` lists"),
    ],
)
def test_bad_input_is_refused(words, said, tmp_path, capsys):
    assert cli.main([*words, "--out", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err
