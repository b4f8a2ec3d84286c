"""A score that was learned, as it is used, drawn and kept: what is said of it, and its arrays."""

import functools
import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from ntkverify import catalogue
from ntkverify.diffusion.sampler import Sampler
from ntkverify.diffusion.sampling import fresh, of_mixture, of_network
from ntkverify.diffusion.walks import FIELD_TIME, IMAGES, SHOWN, places
from ntkverify.ground import archive
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.numerics import random_key
from ntkverify.networks import arguments
from ntkverify.networks.nouns import Params, TwoLayer
from ntkverify.report.figures import Drawing
from ntkverify.report.pictures import clouds, field, images
from ntkverify.truths.mixtures import Mixture, drawn

KIND, SCHEMA = "learned score", 1
MIXTURE = ("log_weights", "means", "variances", "axes")
"""The arrays of a truth that is known."""
PICTURES = ("samples", "field")


@dataclass(frozen=True, eq=False, repr=False)
class LearnedScore:
    """What `nv.learn_score` gives: call it at points and times, `sample`, `plot`, `save`.

    It is what its file holds: `about`, plain JSON, and `arrays`.
    """

    about: dict
    """`settings`, `origin` of the data, `times` at which the weights were kept, the `stop` among them, `error`, `curves`,
    `sentence`."""
    arrays: Mapping[str, np.ndarray]
    """W (d + 2, m) and a (d, m) of the network, radius and scale of its inputs and labels, centre and spread of the data."""

    def __call__(self, x: Float[ArrayLike, "n d"], t: Float[ArrayLike, "..."]) -> Float[Array, "n d"]:
        """The learned score, as `Sampler.__call__` says."""
        return self.learned(x, t)

    def sample(
        self, n: int, key: PRNGKeyArray, method: str = "sde", steps: int = 100, denoise: bool = True
    ) -> Float[Array, "n d"]:
        """Samples with the learned score, as `Sampler.sample` says."""
        return self.learned.sample(n, key, method, steps, denoise)

    @property
    def error(self) -> dict[str, float | None]:
        """The five parts of E‖f − f*‖² over fresh rows at the stop, `cross` terms, their sum `total`, all in units of ‖X_0‖²;
        `trivial` is the error of the constant 0, `held out` E‖f − X_0‖² at rows that stopped nothing.  None: not known."""
        return self.about["error"]

    @property
    def curves(self) -> dict[str, list]:
        """The same over training, at the `times`."""
        return self.about["curves"]

    @property
    def times(self) -> list[int]:
        """The steps of `curves`."""
        return self.about["times"]

    @property
    def stop(self) -> int:
        """The step whose weights these are."""
        return self.about["stop"]

    @property
    def sentence(self) -> str:
        """What to say of it."""
        return self.about["sentence"]

    @functools.cached_property
    def learned(self) -> Sampler:
        """The learned score with its sampler."""
        net = Params(*(jnp.asarray(self.arrays[name]) for name in ("W", "a")))
        network = catalogue.network(self.about["settings"]["network"])
        assert isinstance(network, TwoLayer)
        score = of_network(network, net, self.arrays["radius"], self.arrays["scale"])
        return self._sampler(score, 3 * net.m)

    @functools.cached_property
    def exact(self) -> Sampler | None:
        """The true score with its sampler; None where only samples were given."""
        if self.mixture is None:
            return None
        k, d = self.mixture.means.shape
        return self._sampler(of_mixture(self.mixture), 4 * k * d * (1 if self.mixture.axes is None else d))

    @functools.cached_property
    def mixture(self) -> Mixture | None:
        """The law of X_0, where it is known."""
        if "means" not in self.arrays:
            return None
        return Mixture(*(jnp.asarray(self.arrays[name]) if name in self.arrays else None for name in MIXTURE))  # type: ignore[arg-type]

    def _sampler(self, score, floats: int) -> Sampler:
        settings = self.about["settings"]
        span = settings["earliest"], settings["horizon"]
        if self.mixture is not None:
            start = functools.partial(fresh, self.mixture, span[1])
        else:
            start = functools.partial(_gaussian, jnp.asarray(self.arrays["root"]))
        return Sampler(score, start, self.arrays["centre"], float(self.arrays["spread"]), span, floats)

    def images(self, x: Float[ArrayLike, "n d"]) -> Float[np.ndarray, "n pixels"]:
        """Points as images, for digits; `BadInput` for others."""
        if "image_basis" not in self.arrays:
            raise BadInput(
                f"images of {self.about['settings']['data']}", "a score of digits", 'nv.learn_score("digits")'
            )
        return self.arrays["image_centre"] + np.asarray(self.learned.points(x)) @ self.arrays["image_basis"]

    def save(self, path: str | Path) -> None:
        """Write the file that `nv.load_score` reads (.npz, no pickle); of given samples it holds at most 200, for pictures."""
        archive.pack(Path(arguments.text("path", path)), KIND, SCHEMA, self.about, self.arrays)

    def plot(self, what: str = "samples", seed: int = 0) -> Drawing:
        """Samples (of digits, images) beside data and those of the exact score, or with what="field" the score at t = 0.3;
        `.svg` is the picture, which a notebook shows, `.csv` its numbers."""
        if choose("picture", arguments.text("what", what), PICTURES) == "field":
            return self._field()
        key = random_key(arguments.seed(seed))
        many = IMAGES if "image_basis" in self.arrays else SHOWN
        data = self.arrays.get("shown")
        if self.mixture is not None:
            data = self.learned.centre[None] + self.learned.spread * np.asarray(drawn(self.mixture, key, many))
        ends = {"data": np.asarray(data)}
        ends |= {name: np.nan_to_num(np.asarray(each.sample(many, key))) for name, each in self._both().items()}
        return self._images(ends) if "image_basis" in self.arrays else self._clouds(ends)

    def _both(self) -> dict[str, Sampler]:
        return ({} if self.exact is None else {"exact score": self.exact}) | {"learned score": self.learned}

    def _clouds(self, ends: dict[str, np.ndarray]) -> Drawing:
        middle = np.append(self.learned.centre, 0.0)[:2]
        reach = 1.05 * max(float(np.abs(each[:, :2] - middle[None, : each.shape[1]]).max()) for each in ends.values())
        panels = [{"title": name, "points": each.tolist()} for name, each in ends.items()]
        limits = [(float(place) - reach, float(place) + reach) for place in middle]
        caption = "Data, and samples by the reverse SDE with each score from one key, denoised at the end; first two coordinates."
        found = clouds({}, {"name": "samples", "panels": panels, "limits": limits, "caption": caption})
        assert found is not None
        return found

    def _images(self, ends: dict[str, np.ndarray]) -> Drawing:
        rows = [{"label": name.replace(" ", "\n"), "images": self.images(each).tolist()} for name, each in ends.items()]
        caption = "Data, and samples by the reverse SDE with each score from one key, denoised at the end."
        side = math.isqrt(len(self.arrays["image_centre"]))
        found = images({}, {"name": "images", "side": side, "rows": rows, "caption": caption})
        assert found is not None
        return found

    def _field(self) -> Drawing:
        own = self.learned
        if len(own.centre) < 2:
            raise BadInput("the field of a score on the line", "at least two dimensions", 'what="samples"')
        x, when = own.centre[None] + own.spread * places(len(own.centre)), float(np.clip(FIELD_TIME, *own.span))
        panels = [
            {"title": name, "x": x[:, :2].tolist(), "v": np.asarray(each(x, when))[:, :2].tolist()}
            for name, each in self._both().items()
        ]
        caption = f"The score at t = {when:g} in the plane of the first two coordinates, the others at the centre."
        found = field({}, {"name": "score-field", "panels": panels, "caption": caption})
        assert found is not None
        return found

    def __repr__(self) -> str:
        settings = self.about["settings"]
        return "LearnedScore({data}, {network}, n = {n}, m = {m}, stopped at τ = {stop})".format(
            **settings, stop=self.stop
        )

    def _repr_html_(self) -> str:
        said = {name: "not known" if value is None else f"{value:.3g}" for name, value in self.error.items()}
        rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in said.items())
        head = html.escape(f"{self!r}: {self.about['origin']}.")
        return f"<p>{head}</p><p>{html.escape(self.sentence)}</p><table><tr><th>part of the error</th><th></th></tr>{rows}</table>"


@functools.partial(jax.jit, static_argnames=("count",))
def _gaussian(root: Float[Array, "d d"], key: PRNGKeyArray, count: int) -> Float[Array, "count d"]:
    return jax.random.normal(key, (count, len(root)), root.dtype) @ root


def load_score(path: str | Path) -> LearnedScore:
    """The score that `save` wrote, which gives the same samples for the same key.

    Needs 64-bit numbers.  Raises `BadInput` for a file that is damaged, edited, of another kind or version.  Source:
    ntkverify/ground/archive.py.

    >>> import jax, tempfile
    >>> import ntkverify as nv
    >>> jax.config.update("jax_enable_x64", True)
    >>> path = tempfile.mkdtemp() + "/mine.npz"
    >>> learned = nv.learn_score("gaussian", n=16, m=32, steps=64, test=32)
    >>> learned.save(path)
    >>> again = nv.load_score(path)
    >>> bool((again.sample(5, jax.random.key(0)) == learned.sample(5, jax.random.key(0))).all())
    True
    """
    require_float64()
    about, arrays = archive.unpack(Path(arguments.text("path", path)), KIND, SCHEMA, "learned.save(path)")
    return LearnedScore(about, arrays)


def require_float64() -> None:
    """`BadInput` where JAX computes in float32."""
    if not jax.config.read("jax_enable_x64"):
        raise BadInput("a score in float32", "64-bit numbers enabled", "jax.config.update('jax_enable_x64', True)")
