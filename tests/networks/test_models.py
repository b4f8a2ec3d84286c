"""Networks of the user's own: what they compute, what they are asked, what is said of those that do not fit."""

import asyncio
import dataclasses
import functools
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.certifying.pointfile import check_point, load_point, save_point
from ntkverify.cli import main as cli
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import examine
from ntkverify.judging.verdict import judge
from ntkverify.networks import models
from ntkverify.networks.kernels import autodiff as by_autodiff
from ntkverify.networks.network import forward
from ntkverify.networks.nouns import Model, Params
from ntkverify.networks.quantities import pulled_back, pushed

EXAMPLES = Path(nv.__file__).parent / "examples"
DATA = {"mlp": "sphere", "mlp_standard": "sphere", "transformer": "tokens", "cnn": "digits"}
ROUTES = ("jacobian-contraction", "ntk-vector-products", "structured-derivatives")
OF_ANY = ("kernel-factorisation", "positive-semidefinite", "step-expansion", "kernel-step", "path-length")


@functools.cache
def example(name, init="independent", m=8, n=4):
    return nv.problem(DATA[name], str(EXAMPLES / f"{name}.py"), m=m, n=n, d_out=2, init=init)


def somewhere(problem, seed=0):
    net = nv.draw(problem, jax.random.key(seed))
    return Params(net.W + 0.1 * jax.random.normal(jax.random.key(seed + 1), net.W.shape), net.a)


@pytest.mark.parametrize("init", ["independent", "coupled"])
@pytest.mark.parametrize("name", DATA)
@pytest.mark.slow
def test_every_route_gives_one_kernel(name, init):
    problem = example(name, init)
    at = somewhere(problem)
    H = nv.kernel(problem, at)
    for route in ROUTES:
        assert np.abs(nv.kernel(problem, at, route) - H).max() <= 1e-12 * np.abs(H).max()
    J = jax.jacobian(lambda W: forward(problem.network, Params(W, at.a), problem.X).ravel())(at.W)[:, :, 0]
    scale = problem.network.scale(8) if problem.network.scale else 1
    assert np.allclose(H, J @ J.T / scale, rtol=1e-12, atol=1e-12 * np.abs(H).max())


def test_blocks_of_inputs_change_nothing(monkeypatch):
    problem = example("mlp", n=7)
    at, X2 = somewhere(problem), problem.X[:3] / 2
    whole, other = by_autodiff.autodiff(problem, at), by_autodiff.autodiff(problem, at, X2)
    monkeypatch.setattr(by_autodiff, "BUDGET", 3 * problem.d_out * problem.p * 8)
    assert by_autodiff.samples(problem) == 3
    assert np.allclose(by_autodiff.autodiff(problem, at), whole, rtol=1e-13)
    assert np.allclose(by_autodiff.autodiff(problem, at, X2), other, rtol=1e-13)


def test_a_block_is_all_of_the_jacobian_that_is_held(monkeypatch):
    problem = example("mlp", m=64, n=48)
    each = problem.d_out * problem.p * 8
    monkeypatch.setattr(by_autodiff, "BUDGET", 4 * each)
    found = jax.jit(by_autodiff.autodiff).lower(problem, somewhere(problem)).compile().memory_analysis()
    assert found is not None
    assert found.temp_size_in_bytes < 16 * each < problem.n * each


def test_a_coupled_start_gives_nothing_and_keeps_the_kernel():
    alone, coupled = example("mlp"), example("mlp", "coupled")
    one, two = (nv.draw(problem, jax.random.key(3)) for problem in (alone, coupled))
    assert not forward(coupled.network, two, coupled.X).any()
    assert np.allclose(nv.kernel(coupled, two), nv.kernel(alone, one), rtol=1e-12)
    first, second = models.parameters(coupled.network, two)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_what_is_pulled_back_is_the_transpose_of_what_is_pushed():
    problem = example("cnn")
    at = somewhere(problem)
    e, change = (jax.random.normal(jax.random.key(k), shape) for k, shape in ((0, problem.y.shape), (1, at.W.shape)))
    both = jnp.sum(pulled_back(problem, at, e) * change), jnp.sum(e * pushed(problem, at, change))
    assert np.isclose(*both, rtol=1e-12)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.slow
def test_claims_of_any_network_hold_of_the_examples(name):
    """A deep network's rounding bounds are worst cases, so that a few draws may stay open; none may speak against a claim, and
    its twins are refuted."""
    problem = example(name) if name.startswith("mlp") else example(name, m=4, n=2)
    for claim in OF_ANY:
        (form,) = catalogue.claims(claim)
        count, points = next(chunks(problem, 20, 0, form.where))
        every = (form, *(form.mutated(twin) for twin in form.twins))
        found, *twins = examine(every, problem, points, count)
        assert not found.violated.any(), claim
        open_to_rounding = name == "transformer" and claim in ("kernel-factorisation", "kernel-step")
        assert found.held.sum() >= (0 if open_to_rounding else 0.8 * found.applicable.sum()), claim
        assert found.applicable.sum() >= 18, claim
        for twin, evidence in zip(form.twins, twins, strict=True):
            assert evidence.violated.any() or "thousand million" in twin.mutation, (claim, twin.mutation)


def test_training_is_gradient_descent():
    problem = example("mlp")
    start = nv.draw(problem, jax.random.key(0))
    run = nv.train(problem, start, 0.05, target=1e-12, budget=3)
    W = start.W
    for _ in range(3):
        e = forward(problem.network, Params(W, start.a), problem.X) - problem.y
        W = W - 0.05 * pulled_back(problem, Params(W, start.a), e)
    assert np.allclose(run.last.W[0], W, rtol=1e-13)
    assert np.all(np.diff(run.losses[0]) < 0)


def initialise(key, width, d_in, d_out):
    one, two = jax.random.split(key)
    return {
        "in": jax.random.normal(one, (d_in, width)),
        "out": jax.random.normal(two, (width, d_out)),
        "steps": jnp.asarray(3),
    }


def apply(parameters, X):
    return jnp.tanh(X @ parameters["in"]) @ parameters["out"] / parameters["steps"]


def asked(initialise=initialise, apply=apply, data="sphere", **options):
    network = nv.network(initialise, apply, **{key: options.pop(key) for key in ("trained", "scale") if key in options})
    return nv.problem(data, network, **{"m": 8, "n": 4, "d_in": 3, "d_out": 2, "init": "independent"} | options)


def test_what_does_not_train_stays():
    problem = asked(trained=lambda parameters: {"in": False, "out": True, "steps": True})
    net = nv.draw(problem, jax.random.key(0))
    assert net.W.shape == (16, 1)
    assert net.a.shape == (24, 1)
    tree = models.parameters(problem.network, net)
    assert np.array_equal(tree["in"].ravel(), net.a[:, 0])
    features = jnp.tanh(problem.X @ tree["in"]) / 3
    assert np.allclose(nv.kernel(problem, net), np.kron(features @ features.T, np.eye(2)))


def test_leaves_that_are_no_numbers_stay_what_they_are():
    def activated(key, width, d_in, d_out):
        return initialise(key, width, d_in, d_out) | {"activation": jnp.tanh}

    def applied(parameters, X):
        return parameters["activation"](X @ parameters["in"]) @ parameters["out"] / parameters["steps"]

    one, other = asked(activated, applied), asked()
    net = nv.draw(one, jax.random.key(0))
    assert np.array_equal(nv.kernel(one, net), nv.kernel(other, net))


def test_equal_files_share_programs(tmp_path):
    path = tmp_path / "net.py"
    path.write_text((EXAMPLES / "mlp.py").read_text())
    first = nv.network(path)
    assert nv.network(path) is first
    path.write_text(path.read_text() + "\n# changed\n")
    assert nv.network(path) is not first
    assert isinstance(first, Model)


class Impure:
    """Gives other numbers each time."""

    def __init__(self):
        self.calls = 0

    def __call__(self, parameters, X):
        self.calls += 1
        return apply(parameters, X) + self.calls


def noisy(key, width, d_in, d_out):
    return initialise(key, width, d_in, d_out) | {"noise": jnp.asarray(np.random.default_rng().standard_normal(3))}


BAD = {
    "raised ZeroDivisionError": (lambda key, width: 1 / 0, apply),
    "parameters of int": (lambda key, width: {"a": jnp.arange(width)}, apply),
    "numbers at width 8 and at width 16": (lambda key, width: {"a": jnp.ones(3)}, lambda p, X: X[:, :2] * p["a"][0]),
    "NaN or infinity; wanted: finite parameters": (lambda key, width: jnp.full(width, jnp.nan), lambda p, X: X[:, :2] * p[0]),
    "again with the same key": (noisy, apply),
    "shape (4,) for X of shape (4, 3)": (initialise, lambda p, X: apply(p, X)[:, 0]),
    "shape (4, 3) for X of shape (4, 3)": (initialise, lambda p, X: jnp.tanh(X @ p["in"])[:, :3]),
    "an array of int": (initialise, lambda p, X: jnp.ones((len(X), 2), int)),
    "an array of bool": (initialise, lambda p, X: apply(p, X) > 0),
    "an array of complex": (initialise, lambda p, X: apply(p, X) * 1j),
    "something of type tuple": (initialise, lambda p, X: (apply(p, X),)),
    "NaN or infinity on these data": (initialise, lambda p, X: apply(p, X) / 0.0),
    "when it is called again": (initialise, Impure()),
    "depends on the other inputs": (initialise, lambda p, X: apply(p, X - jnp.mean(X, axis=0))),
    "apply raised TypeError": (initialise, lambda p, X: apply(p, X[:, :2])),
}  # fmt: skip


@pytest.mark.parametrize("said", BAD)
def test_what_does_not_fit_is_refused_with_a_sentence(said):
    with pytest.raises(nv.BadInput) as caught:
        asked(*BAD[said])
    assert said in str(caught.value)
    assert "wanted: " in str(caught.value)


def test_a_mask_of_another_tree_is_refused():
    with pytest.raises(nv.BadInput, match="another tree"):
        asked(trained=lambda parameters: {"in": True})
    with pytest.raises(nv.BadInput, match="at least one array of floats"):
        asked(trained=lambda parameters: jax.tree.map(lambda leaf: False, parameters))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("initialise = 1", "without a function initialise"),
        ("def initialise(key, width): return 0", "without a function apply"),
        ("1 / 0", "raised ZeroDivisionError"),
        ("def initialise(key, width): pass\ndef apply(p, X): pass\ndrift = 'fast'", "the exponent that is predicted"),
        ("def initialise(key, width): pass\ndef apply(p, X): pass\nscale = 3", "a function scale"),
    ],
)
def test_a_file_that_is_no_network_is_refused(tmp_path, capsys, content, said):
    path = tmp_path / "net.py"
    path.write_text(content)
    assert cli.main(["verify", "--network", str(path), "--data", "sphere", "--seeds", "20"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_not_there_is_named(capsys):
    assert cli.main(["verify", "--network", "nowhere.py"]) == 2
    assert "no file nowhere.py; wanted: a network's file" in capsys.readouterr().err


def test_what_knows_more_of_a_network_is_refused():
    problem = example("mlp")
    net = nv.draw(problem, jax.random.key(0))
    for route in ("closed-form", "infinite-width"):
        with pytest.raises(nv.BadInput, match="a route of any network"):
            nv.kernel(problem, net, route)
    with pytest.raises(nv.BadInput, match="second derivative"):
        nv.realise(problem)
    with pytest.raises(nv.BadInput, match="as the problem asks"):
        nv.kernel(problem, dataclasses.replace(net, W=net.W[1:]))


@pytest.mark.slow
def test_points_of_a_deep_network_are_proved():
    problem = example("mlp", m=4, n=2)
    rows = nv.certify(["step-expansion", "kernel-step", "path-length", "positive-semidefinite"], problem)["claims"]
    assert [row["verdict"] for row in rows] == ["proved"] * 4


@pytest.mark.slow
def test_verify_and_a_study_take_a_file(tmp_path, capsys):
    file = tmp_path / "net.py"
    assert cli.main(["new", "network", str(file)]) == 0
    assert "ntkverify study drift" in capsys.readouterr().out
    sizes = ["--n", "4", "--d-in", "3", "--d-out", "2", "--m", "8", "--seeds", "20"]
    out = tmp_path / "out"
    assert cli.main(["verify", *OF_ANY[1:3], "zero-output", "--network", str(file), "softmax", "--data", "sphere", *sizes, "--out", str(out)]) == 0  # fmt: skip
    rows = json.loads((out / "results.json").read_text())
    verdicts = {(row["problem"], row["id"]): row["verdict"] for row in rows["claims"]}
    assert verdicts["sphere-net", "zero-output"] == "not applicable"
    assert verdicts["sphere-softmax", "zero-output"] == "holds"
    assert verdicts["sphere-net", "positive-semidefinite"] == "holds"
    (problem, _) = rows["problems"]
    assert problem["lambda_inf"] is None
    assert problem["sigma"] is None
    page = (out / "report.html").read_text()
    assert "weights as the file draws them" in page
    assert "infinite width: unknown" in page
    grid = [f"network={file}", "m=8,16,32", "n=3", "d_in=3", "seeds=2", "init=coupled"]
    assert cli.main(["study", "drift", "--grid", *grid, "--out", str(tmp_path / "drift")]) == 0
    results = json.loads((tmp_path / "drift" / "results.json").read_text())
    fit = next(fit for fit in results["fits"] if fit["quantity"] == "drift")
    assert fit["predicted"] == -1.0
    assert fit["exponent"] < -0.3
    assert "where -1 was predicted" in results["answer"]
    for study in ("region", "frontier", "diffusion"):
        assert cli.main(["study", study, "--grid", f"network={file}"]) == 2


LEMMA = '''r"""The first layer moves at most as far as all

Source: the tests
Setting: A network of one's own.
Measured: At every drawn point of the ball.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ \\\\|\\\\widetilde W_1 - W_1\\\\| \\\\le R $$
Proof: It is a part of all.
"""
import jax.numpy as jnp
import numpy as np
{imports}
from ntkverify.lemma import Form, distance, parameters, scaled


def lhs(problem, point, c):
    one, other = (parameters(problem.network, each)[0] for each in (point.moved, point.base))
    return {lhs}


def rhs(problem, point, c):
    return distance(point)


derived = Form(lhs, rhs).with_twins(scaled("another", rhs={twin}))
'''
NORM = "jnp.linalg.norm(one - other, ord=2)"


def lemma(tmp_path, lhs=NORM, twin=1e-3, imports=""):
    (tmp_path / "mine.py").write_text(LEMMA.format(lhs=lhs, twin=twin, imports=imports))
    return str(tmp_path / "mine.py")


def verified(file, *more):
    sizes = ["--n", "3", "--d-in", "3", "--d-out", "1", "--m", "8", "--seeds", "20", "--radius", "0.1"]
    network = ["--network", str(EXAMPLES / "mlp.py"), "--init", "independent"] if "--network" not in more else []
    return cli.main(["verify", file, "--data", "sphere", *sizes, *network, *more])


@pytest.mark.slow
def test_twins_of_a_lemma_of_ones_own_are_tried(tmp_path, capsys):
    out = tmp_path / "out"
    assert verified(lemma(tmp_path), "--out", str(out)) == 0
    assert "twin of mine [derived], another: refuted on 20 of 20 draws" in " ".join(capsys.readouterr().out.split())
    (row,) = json.loads((out / "results.json").read_text())["claims"]
    assert row["twins"] == [{"mutation": "another", "refuted": 20, "applicable": 20}]
    page = (out / "report.html").read_text()
    assert "yours; no proof known here" in page
    assert "proved here" not in page
    assert verified(lemma(tmp_path, twin=2.0), "--out", str(tmp_path / "weak")) == 0
    assert "what is broken passes as well" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_a_lemma_may_import_what_lies_beside_it(tmp_path):
    (tmp_path / "beside.py").write_text(
        "import jax.numpy as jnp\n\n\ndef length(x):\n    return jnp.linalg.norm(x, ord=2)\n"
    )
    file = lemma(tmp_path, "length(one - other)", imports="from beside import length")
    assert verified(file, "--out", str(tmp_path / "out")) == 0


@pytest.mark.parametrize(
    ("formula", "more", "said"),
    [
        ("distance(point) * np.random.default_rng().random()", (), "another formula each time it is read"),
        ("jnp.tahn(distance(point))", (), "raised AttributeError (line 21 of mine.py)"),
        ("np.linalg.norm(one)", (), "jax.numpy in place of numpy"),
        ("1.0 if distance(point) > 1 else 0.0", (), "jnp.where in place of if"),
        (NORM, ("--network", "softmax"), "a network of your own, whose parameters they are; try: --network net.py"),
        ("one['a'] - other", ("--init", "coupled"), "parameters(...) is a pair"),
    ],
)
def test_what_a_lemma_does_wrong_is_said(tmp_path, capsys, formula, more, said):
    assert verified(lemma(tmp_path, formula), *more) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_numpy_in_apply_is_told_from_jax():
    with pytest.raises(nv.BadInput, match=r"jax\.numpy in place of numpy"):
        asked(apply=lambda p, X: jnp.asarray(np.tanh(np.asarray(X @ p["in"])) @ np.asarray(p["out"])) / 3)


@pytest.mark.slow
def test_a_point_comes_back_from_its_file(tmp_path):
    problem, file = example("mlp", m=4, n=2), lemma(tmp_path, twin=0.1)
    (form,) = catalogue.claims(file)
    found = nv.falsify(file, problem, budget=0.5)
    assert found.drawn <= found.ratio <= 1 + 1e-12
    save_point(tmp_path / "point.npz", form, found.problem, found.point, {}, file)
    again, read, point, _ = load_point(tmp_path / "point.npz")
    assert again.id == form.id
    assert read.p == problem.p
    assert np.array_equal(point.moved.W, found.point.moved.W)
    assert check_point(tmp_path / "point.npz")[1].verdict == "proved"
    with pytest.raises(nv.BadInput, match="a network from a file"):
        save_point(tmp_path / "other.npz", form, asked(m=4), found.point, {}, file)


def scaled_by(value):
    return {"scale": lambda width: value}


OF_AN_ATTACK = {
    "differ between two calls": {"initialise": lambda key, width, d_in, d_out: initialise(key, width, d_in, d_out) | {"steps": jax.random.rademacher(key, ())}},
    "a leaf of complex": {"initialise": lambda key, width, d_in, d_out: initialise(key, width, d_in, d_out) | {"c": jnp.ones(2) * 1j}},
    "a leaf of key": {"initialise": lambda key, width, d_in, d_out: initialise(key, width, d_in, d_out) | {"c": key}},
    "a finite number above 0": scaled_by(-1.0),
    "scale(8) = nan": scaled_by(jnp.nan),
    "scale(8) = None": scaled_by(None),
    "something else; wanted: True or False": {"trained": lambda parameters: jax.tree.map(lambda leaf: "no", parameters)},
    "trained raised KeyError": {"trained": lambda parameters: parameters["gone"]},
    "not that of its outputs": {"apply": lambda p, X: apply(jax.lax.stop_gradient(p), X) + p["out"][0, 0]},
    "NaN or infinite at the start": {"apply": lambda p, X: apply(p, X) + jnp.sqrt(jnp.sum((p["in"] - p["in"]) ** 2))},
    "differentiated by JAX, raised": {"apply": lambda p, X: jax.lax.while_loop(lambda x: jnp.max(x) < -1e9, lambda x: x + 1.0, apply(p, X))},
    "raised CancelledError": {"apply": lambda p, X: cancelled()},
}  # fmt: skip


def cancelled():
    raise asyncio.CancelledError


@pytest.mark.parametrize("said", OF_AN_ATTACK)
def test_what_an_attack_tried_is_refused_with_a_sentence(said):
    with pytest.raises(nv.BadInput) as caught:
        asked(**OF_AN_ATTACK[said])
    assert said in str(caught.value)


def test_a_scale_of_jax_is_read_once():
    problem = asked(scale=lambda width: jnp.sqrt(width))
    assert problem.network.s_m == pytest.approx(np.sqrt(8))
    assert np.isfinite(nv.kernel(problem, nv.draw(problem, jax.random.key(0)))).all()


def test_mixing_beyond_the_first_rows_is_found():
    def applied(p, X):
        return apply(p, X).at[-1].add(jnp.sum(X[0]) * (len(X) > 4))

    with pytest.raises(nv.BadInput, match="depends on the other inputs"):
        asked(apply=applied, n=5)


@pytest.mark.slow
def test_steps_that_leap_over_what_was_seen_refute_nothing():
    """A step that crosses a whole transition between two looks: seen curvature is less than there is."""

    def steep(key, width, d_in):
        return jax.random.normal(key, (d_in, width))

    def leaping(W, X):
        return 10 * jnp.tanh(8 * jnp.sum(X @ W, axis=1, keepdims=True) / jnp.sqrt(W.shape[1]))

    problem = asked(steep, leaping, m=4, n=1, d_in=2, d_out=1)
    for name in ("step-expansion", "kernel-step", "path-length"):
        (form,) = catalogue.claims(name)
        count, points = next(chunks(problem, 20, 0, form.where))
        (found,) = examine((form,), problem, points, count)
        assert judge(form, found, 0.1).verdict != "violated"
        if name != "path-length":
            assert found.violated.any()
    rows = nv.certify(["step-expansion", "kernel-step", "path-length"], problem, draws=3)["claims"]
    assert "refuted" not in [row["verdict"] for row in rows]


@pytest.mark.slow
def test_routes_that_do_not_know_an_operation_are_left_out(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(
        (EXAMPLES / "mlp.py")
        .read_text()
        .replace("jnp.tanh(h @ W", "jax.checkpoint(jnp.tanh)(h @ W")
        .replace("return h @ p", "h = h.astype(jnp.float32).astype(h.dtype)\n    return h @ p")
    )
    sizes = ["--n", "3", "--d-in", "3", "--d-out", "1", "--m", "8", "--seeds", "20", "--data", "sphere"]
    assert cli.main(["verify", "zero-output", "--network", str(file), *sizes, "--out", str(tmp_path / "out")]) == 0
    rows = json.loads((tmp_path / "out" / "results.json").read_text())["kernels"]
    assert {row["tolerance"] for row in rows} == {1e-4}
    assert all(row["agree"] for row in rows)


def test_each_file_has_the_helper_that_lies_beside_it(tmp_path):
    """Two folders, each with a helper.py: the lemma of the second is false with its own and true with the first's."""
    files = []
    for folder, bound in (("a", 1.0), ("b", 0.25)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helper.py").write_text(f"bound = {bound}\n")
        text = LEMMA.format(lhs="jnp.sum(problem.X**2) * 0 + 0.5", twin=0.1, imports="from helper import bound")
        text = text.replace("return distance(point)", "return jnp.sum(problem.X**2) * 0 + bound")
        text = text.replace(
            "    one, other = (parameters(problem.network, each)[0] for each in (point.moved, point.base))\n", ""
        )
        (tmp_path / folder / f"mine_{folder}.py").write_text(text)
        files.append(str(tmp_path / folder / f"mine_{folder}.py"))
    rows = nv.verify(files, data="sphere", n=3, d_in=3, d_out=1, m=8, seeds=20).claims
    assert [row["verdict"] for row in rows] == ["holds", "violated"]
    assert "helper" not in sys.modules


def test_a_network_is_what_it_imports_too(tmp_path):
    """A changed helper is another network: to programs, to ledgers and to points on disk."""
    (tmp_path / "gain.py").write_text("gain = 1.0\n")
    text = (EXAMPLES / "mlp.py").read_text().replace("import jax\n", "import jax\nfrom gain import gain\n", 1)
    (tmp_path / "net.py").write_text(text.replace("return h @ p", "return gain * h @ p"))
    problem = nv.problem("sphere", tmp_path / "net.py", m=4, n=2, d_in=2, d_out=1, init="independent")
    file = lemma(tmp_path, twin=0.1)
    (form,) = catalogue.claims(file)
    (_, points), *_ = chunks(problem, 20, 0, form.where)
    point = jax.tree.map(lambda leaf: leaf[0, 0], points)
    save_point(tmp_path / "point.npz", form, problem, point, {}, file)
    assert check_point(tmp_path / "point.npz")[1].verdict == "proved"
    before = nv.network(tmp_path / "net.py")
    assert nv.network(tmp_path / "net.py") is before
    (tmp_path / "gain.py").write_text("gain = 2.0\n")
    after = nv.network(tmp_path / "net.py")
    assert after.digest != before.digest
    with pytest.raises(nv.BadInput, match="has changed since"):
        check_point(tmp_path / "point.npz")


def test_a_python_float_among_the_parameters_trains():
    problem = asked(
        lambda key, width, d_in, d_out: initialise(key, width, d_in, d_out) | {"gain": 2.0},
        lambda p, X: p["gain"] * apply(p, X),
    )
    assert problem.p == 3 * 8 + 8 * 2 + 1
