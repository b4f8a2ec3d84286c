"""The bridge to neural-tangents: its real `empirical_ntk_fn` on a JAX it was not written for.

neural-tangents 0.6.5 imports names that JAX removed in 0.6, and TensorFlow for experimental code
that nothing here uses.  Its modules are therefore executed with an import function of their own.
That function hands them *views*: objects that answer with JAX's own attribute where there is one,
and otherwise with the missing name.  The views belong to these modules alone.  The process's JAX is
neither written to nor rebound, and `sys.modules` gains no neural-tangents entry.

This is the only file of the project that imports neural-tangents, or anything private of JAX.
"""

import builtins
import functools
import importlib
import importlib.util
import math
import types
from pathlib import Path

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks import models
from ntkverify.networks.network import forward, kernel_scale
from ntkverify.networks.nouns import Model, Params, Problem

_PACKAGE = "neural_tangents"


class BridgeError(ImportError):
    """neural-tangents is absent, or asks this JAX for something that the bridge does not know."""


class _View(types.ModuleType):
    """A module as neural-tangents expects it: JAX's own attribute first, then the missing ones."""

    def __init__(self, real: types.ModuleType, missing: dict):
        super().__init__(real.__name__)
        self.__dict__.update(_real=real, _missing=missing)

    def __getattr__(self, name: str):
        missing = self.__dict__["_missing"]
        return missing[name] if name in missing else getattr(self.__dict__["_real"], name)


def _size(x) -> int:
    """`jnp.size` as it once was: it also takes shape structures, which have only a shape."""
    return math.prod(jnp.shape(x) if not hasattr(x, "shape") else x.shape)


def _views() -> dict[str, types.ModuleType]:
    """The JAX that neural-tangents expects, by module name."""
    internal = importlib.import_module("jax._src.core")
    internal_ad = importlib.import_module("jax._src.interpreters.ad")
    util = importlib.import_module("jax._src.util")
    core = _View(importlib.import_module("jax.core"), vars(internal) | {"Value": object})
    ad = _View(
        importlib.import_module("jax.interpreters.ad"),
        vars(internal_ad) | {"zeros_like_p": internal.Primitive("zeros_like")},
    )
    ad.__dict__.update(linearize=_linearize, config=types.SimpleNamespace(jax_enable_checks=False))
    core.__dict__.update(DShapedArray=type("DShapedArray", (), {}))  # shapes that vary: there are none
    extend, linear = _View(importlib.import_module("jax.extend"), {}), importlib.import_module("jax.extend.linear_util")
    extend.__dict__["linear_util"] = _View(linear, {})
    extend.linear_util.__dict__["wrap_init"] = _wrapped
    numpy = _View(jnp, {})
    numpy.__dict__["size"] = _size
    interpreters = _View(importlib.import_module("jax.interpreters"), {"ad": ad})
    top = _View(jax, {"util": util})
    top.__dict__.update(core=core, numpy=numpy, interpreters=interpreters)
    return {
        "jax": top,
        "jax.core": core,
        "jax.extend": extend,
        "jax.util": util,
        "jax.numpy": numpy,
        "jax.interpreters": interpreters,
        "jax.interpreters.ad": ad,
    }


class _Unknown:
    """A partial value that is not known, as old versions of JAX told them apart."""

    def is_known(self) -> bool:
        return False


def _wrapped(function):
    """`linear_util.wrap_init` as it once was, with what it asks for now."""
    linear = importlib.import_module("jax.extend.linear_util")
    return linear.wrap_init(function, debug_info=jax.api_util.debug_info("ntk", function, (), {}))


def _linearize(function, *primals, has_aux: bool):
    """`ad.linearize` as it once was, by JAX's public functions: (outputs, partial values, jaxpr, constants)."""
    outputs, pushed = jax.linearize(lambda *args: function.call_wrapped(*args), *primals)
    closed = jax.make_jaxpr(pushed)(*primals)
    return outputs, [_Unknown() for _ in outputs], closed.jaxpr, closed.consts


def _transposed(equation, cotangent, *values):
    """What cotangents an equation gives its operands; in place of theirs, which asks primitives what they no longer know."""
    if equation is None:
        return (cotangent,)
    internal = importlib.import_module("jax._src.interpreters.ad")
    linear = [index for index, value in enumerate(values) if internal.is_undefined_primal(value)]

    def applied(*operands):
        filled = list(values)
        for index, operand in zip(linear, operands, strict=True):
            filled[index] = operand
        found = equation.primitive.bind(*filled, **equation.params)
        return found[0] if equation.primitive.multiple_results else found  # those of several results it refuses

    shapes = [jax.ShapeDtypeStruct(values[index].aval.shape, values[index].aval.dtype) for index in linear]
    found = dict(zip(linear, jax.linear_transpose(applied, *shapes)(cotangent), strict=True))
    return [found.get(index) for index in range(len(values))]


class _Importer:
    """Executes neural-tangents' files, answering each of their imports itself."""

    def __init__(self):
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise BridgeError(
                "neural-tangents is not installed; try: pip install frozendict, then pip install --no-deps neural-tangents==0.6.5"
            )
        self.root = Path(next(iter(spec.submodule_search_locations)))
        self.views = _views()
        # `experimental` is what needs TensorFlow; nothing else of the package reads it.
        self.modules = {f"{_PACKAGE}.experimental": types.ModuleType(f"{_PACKAGE}.experimental")}

    def load(self, name: str) -> types.ModuleType:
        """Execute one of neural-tangents' modules, its parents first; each once."""
        if name in self.modules:
            return self.modules[name]
        parent, _, leaf = name.rpartition(".")
        if parent:
            self.load(parent)
            if name in self.modules:  # its parent has imported it
                return self.modules[name]
        base = self.root.joinpath(*name.split(".")[1:])
        package = base.is_dir()
        path = base / "__init__.py" if package else base.with_suffix(".py")
        module = types.ModuleType(name)
        module.__dict__.update(
            __file__=str(path),
            __package__=name if package else parent,
            __builtins__=vars(builtins) | {"__import__": self},
        )
        self.modules[name] = module
        exec(compile(path.read_text("utf-8"), str(path), "exec"), module.__dict__)
        if parent:
            setattr(self.modules[parent], leaf, module)
        return module

    def __call__(self, name, globals=None, locals=None, fromlist=(), level=0):
        """What `import` means inside neural-tangents' modules."""
        if level:
            name = importlib.util.resolve_name("." * level + name, (globals or {})["__package__"])
        top = name.partition(".")[0]
        if top == _PACKAGE:
            module = self.load(name)
            for item in fromlist or ():
                if not hasattr(module, item):
                    setattr(module, item, self.load(f"{name}.{item}"))
            return module if fromlist else self.modules[_PACKAGE]
        if fromlist and name in self.views:
            return self.views[name]
        module = builtins.__import__(name, globals, locals, fromlist, 0)
        return self.views["jax"] if module is jax else module


@functools.cache
def library() -> types.ModuleType:
    """neural-tangents' public module, its JAX being views.  Raises `BridgeError` with the reason."""
    try:
        found = _Importer().load(_PACKAGE)
        found._src.empirical._eqn_vjp_fn = _transposed
        return found
    except BridgeError:
        raise
    except Exception as error:
        raise BridgeError(
            f"neural-tangents does not load on jax {jax.__version__}: {type(error).__name__}: {error}"
        ) from error


def jacobian_contraction(
    problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None
) -> Float[Array, "nd n2d"]:
    """H by neural-tangents' Jacobian contraction."""
    return _empirical("JACOBIAN_CONTRACTION", problem, params, X2)


def ntk_vector_products(
    problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None
) -> Float[Array, "nd n2d"]:
    """H by neural-tangents' NTK-vector products."""
    return _empirical("NTK_VECTOR_PRODUCTS", problem, params, X2)


def structured_derivatives(
    problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None
) -> Float[Array, "nd n2d"]:
    """H by neural-tangents' structured derivatives, which know what the Jacobians of single operations look like."""
    return _empirical("STRUCTURED_DERIVATIVES", problem, params, X2)


@full_precision
def _empirical(implementation: str, problem: Problem, params: Params, X2) -> Float[Array, "nd n2d"]:
    """J J₂ᵀ / s_m, sample slow.  The routes hold up to n·d_out·m·d_in numbers."""
    nt, network, trained = library(), problem.network, params.W

    def outputs(trained, X):
        if isinstance(network, Model):
            return models.of_leaves(network, trained, params.a, X)
        return forward(network, Params(trained, params.a, params.live), X)

    if isinstance(network, Model):  # as the arrays that the model has, whose structure the third route reads
        trained = models.leaves(network, params)

    kernel = nt.empirical_ntk_fn(
        outputs,
        trace_axes=(),
        diagonal_axes=(),
        vmap_axes=0,
        implementation=nt.NtkImplementation[implementation],
    )
    # neural-tangents was written for the standard rules of promotion; ours stay strict outside.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        K = kernel(problem.X, X2, trained)
    return K.transpose(0, 2, 1, 3).reshape(problem.n * problem.d_out, -1) / kernel_scale(problem.network, params.m)
