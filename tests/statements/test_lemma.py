"""The file of a lemma: what it imports, how it binds its forms, what is said of one that does not."""

import inspect
import re
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from ntkverify import catalogue, lemma
from ntkverify.api import draw, problem
from ntkverify.cli import main as cli
from ntkverify.ground.errors import BadInput

SMALL = ["--data", "sphere", "--n", "3", "--d-in", "3", "--d-out", "1", "--m", "8", "--seeds", "20"]


@pytest.fixture
def mine(tmp_path):
    """The file that `new claim` writes."""
    path = tmp_path / "my_lemma.py"
    assert cli.main(["new", "claim", str(path)]) == 0
    return path


def test_the_face_keeps_and_explains_its_names():
    assert len(lemma.__all__) == len(set(lemma.__all__))
    for name in lemma.__all__:
        found = getattr(lemma, name)
        assert isinstance(found, str) or found.__doc__, name
    assert {"Form", "Twin", "scaled", "given", "full_precision", "forward", "closed_form", "COUPLED"} < {*lemma.__all__}


FUNCTIONS = [name for name in lemma.__all__ if inspect.isfunction(getattr(lemma, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_words_say_what_they_give_and_where_from(name):
    text = inspect.getdoc(getattr(lemma, name)) or ""
    assert re.search(r"Source: docs/\S+", text)
    assert re.search(r"array|number|Boolean|pytree|twin|function", text)
    source = re.search(r"Source: (docs/[\w/]+\.md)", text)
    assert source
    assert (Path(__file__).parents[2] / source[1]).is_file()


def test_the_lemma_that_the_face_shows_is_one(tmp_path):
    shown = [line for line in (lemma.__doc__ or "").splitlines() if not line or line.startswith("    ")]
    stated, first, code = textwrap.dedent("\n".join(shown)).strip().partition("import jax.numpy as jnp")
    path = tmp_path / "shown.py"
    path.write_text(f'r"""{stated}"""\n\n{first}{code}\n', encoding="utf-8")
    (form,) = catalogue.claims(str(path))
    assert (form.id, form.form, len(form.twins)) == ("shown", "derived", 2)
    assert cli.main(["verify", str(path), *SMALL, "--out", str(tmp_path / "out")]) == 0


NOW = r"wanted: `from ntkverify\.lemma import Form`.*; try: ntkverify new claim"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("derived = Form", "reconstructed = Form", rf"states \[derived\] and binds no derived = Form.*{NOW}"),
        ("derived = Form", "other = derived = Form", rf"binds other = Form\(...\) and states no \[other\].*{NOW}"),
        ("derived = Form(lhs, rhs)", "derived = lhs\nfree = Form(lhs, rhs)", r"binds no derived = Form"),
        ("derived = Form", "CLAIMS = Form", rf"binds no derived.* but CLAIMS, as .* for ntkverify 0\.1 did.*{NOW}"),
        (
            "ntkverify.lemma import",
            "ntkverify.quantities import",
            rf"'ntkverify\.quantities'.* 0\.1 imported so.*{NOW}",
        ),
        ("ntkverify.lemma import Form", "ntkverify.nouns import claim", rf"'ntkverify\.nouns'.* 0\.1 .*{NOW}"),
        ("ntkverify.lemma import", "ntkverify.statements.claim import claim,", rf"'claim'.* 0\.1 .*{NOW}"),
        (
            "ntkverify.lemma import",
            "ntkverify.lemma import kapa,",
            r"raised ImportError \(line \d+ of .*\): cannot import name 'kapa'",
        ),
        (
            "import jax.numpy as jnp",
            "import gone",
            r"raised ModuleNotFoundError \(line \d+ of .*\): No module named 'gone'",
        ),
    ],
)
def test_a_file_that_binds_otherwise_is_refused(old, new, said, mine):
    text = mine.read_text("utf-8")
    assert text.count(old) == 1
    mine.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        catalogue.claims(str(mine))


def test_what_an_older_file_states_can_still_be_shown(mine, capsys):
    mine.write_text(mine.read_text("utf-8").replace("ntkverify.lemma", "ntkverify.nouns"), encoding="utf-8")
    assert cli.main(["show", str(mine)]) == 0
    assert "Cauchy" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["zero-output", "loss-identity", "kernel-perturbation"])
def test_a_name_gives_the_same_claims_every_time(name):
    """So nothing is compiled twice; mutations are equal too."""
    one, other = catalogue.claims(name), catalogue.claims(name)
    assert one == other
    assert hash(one) == hash(other)
    for form, again in zip(one, other, strict=True):
        assert [form.mutated(twin) for twin in form.twins] == [again.mutated(twin) for twin in again.twins]
        assert len({form, *(form.mutated(twin) for twin in form.twins)}) == 1 + len(form.twins)


def test_twins_are_made_from_the_form():
    question = problem("sphere", n=2, d_in=2, d_out=1, m=4)
    point = lemma.Point(draw(question, jax.random.key(0)), draw(question, jax.random.key(1)), None)
    form = lemma.Form(
        lambda problem, point, c: jnp.asarray(3.0),
        lambda problem, point, c: jnp.asarray(c["C"]) ** c["power"],
        constants={"C": 2.0, "power": 3.0},
    )
    made = form.with_twins(
        lemma.scaled("lhs halved", lhs=0.5),
        lemma.scaled("rhs per C", rhs=lambda problem, point, c: 1 / c["C"]),
        lemma.with_constants("the sign of the power flipped", power=-3.0),
    )
    assert not form.twins
    assert [(twin.lhs is None, twin.rhs is None) for twin in made.twins] == [
        (False, True),
        (True, False),
        (True, False),
    ]
    sides = [(twin.lhs or form.lhs, twin.rhs or form.rhs) for twin in made.twins]
    found = [tuple(float(side(question, point, form.constants)) for side in each) for each in sides]
    assert found == [(1.5, 8.0), (3.0, 4.0), (3.0, 0.125)]
