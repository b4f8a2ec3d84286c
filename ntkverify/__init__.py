"""Takes a theorem about a wide network and tells, with evidence, whether it holds, how loose it is,
and where it breaks.

>>> import jax
>>> import ntkverify as nv
>>> question = nv.problem("digits", n=8, m=512)
>>> H = nv.kernel(question, nv.draw(question, jax.random.key(0)))
>>> H.shape
(24, 24)
"""

__version__ = "0.1.0"

_HOME = {
    "problem": "api",
    "network": "api",
    "draw": "api",
    "kernel": "api",
    "train": "api",
    "verify": "questions",
    "study": "questions",
    "falsify": "questions",
    "certify": "questions",
    "realise": "questions",
    "certify_convergence": "questions",
    "learn_score": "diffusion.scores",
    "load_score": "diffusion.learned_score",
    "devices": "api",
    "dtype": "api",
    "Settings": "ground.settings",
    "BadInput": "ground.errors",
}
"""Public name → module.  Loaded when first used, so that the command line starts without JAX."""
__all__ = list(_HOME)


def __getattr__(name: str):
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module 'ntkverify' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"ntkverify.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
