"""The bridge runs neural-tangents under jit with warnings as errors, and leaves JAX as it was."""

import subprocess
import sys
import textwrap

import pytest


@pytest.mark.slow
def test_the_process_keeps_its_own_jax():
    script = """
        import sys, warnings
        warnings.simplefilter("error")
        import jax
        jax.config.update("jax_enable_x64", True)
        import jax.example_libraries.stax, jax.experimental.ode, jax.numpy as jnp
        from ntkverify import catalogue
        from ntkverify.networks.nouns import Dataset
        from ntkverify.networks.problems import problem
        from ntkverify.networks.network import initialise
        import numpy as np

        X = np.eye(3)[:, :2] / 2 + 0.1
        case = problem(Dataset("x", X, X, ""), catalogue.network("softmax"), m=8)[0]
        at = initialise(case, jax.random.key(0))
        truth = jax.jit(catalogue.kernel("autodiff"))(case, at)

        def attributes():
            return {
                (name, key): id(value)
                for name, module in list(sys.modules.items()) if name.split(".")[0].startswith("jax")
                for key, value in list(vars(module).items())
            }

        def missing():  # names that the bridge makes up, where this JAX lacks them
            return [name for module, name in ((jax, "util"), (jax.core, "Jaxpr")) if not hasattr(module, name)]

        lacked = missing()
        assert lacked
        before, private = attributes(), {"jax._src.xla_bridge", "jax._src.compilation_cache"}
        for route in ("jacobian-contraction", "ntk-vector-products"):
            found = jax.jit(catalogue.kernel(route))(case, at)
            assert abs(found - truth).max() < 1e-13, route
        after = attributes()
        changed = [key for key in before if after.get(key) != before[key] and key[0] not in private]
        assert not changed, changed
        assert missing() == lacked
        assert "tensorflow" not in sys.modules and "neural_tangents" not in sys.modules
        print("unaltered")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "unaltered"), done.stderr[-3000:]
