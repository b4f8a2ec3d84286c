"""What the tests of certificates share: a small one that is proved, and what the checker says of a content."""

import dataclasses
import hashlib
import json

import jax
import numpy as np
from conftest import make

from ntkverify.checking.certificate_file import digest, packed
from ntkverify.checking.checker import check
from ntkverify.convergence.certificate import attempt
from ntkverify.networks.network import initialise


def two_points(m=24, **options):
    """Two orthonormal inputs, one output."""
    problem = make(n=2, d_in=2, d_out=1, m=m, sigma=0.05, **options)
    return dataclasses.replace(problem, X=jax.numpy.eye(2), y=jax.numpy.asarray([[1.0], [-1.0]]))


def proved(problem, **options):
    found = attempt(problem, initialise(problem, jax.random.key(0)), **options)
    assert found.proved, found.sentence
    return found


def joined(made):
    """A certificate as one tree, its arrays as lists under `floats`, so that a test can change it at any place."""
    return {**made, "floats": {name: array.tolist() for name, array in made.floats.items()}}


def write(content, path, forged=True):
    """Both files of a content that has its arrays with it; `forged`: with digests that fit.  `lies` are what is said of the
    arrays all the same, `bytes` a change of their file."""
    content = dict(content)
    lies, change = content.pop("lies", {}), content.pop("bytes", lambda binary: binary)
    said, binary = packed({name: np.array(value) for name, value in content.pop("floats").items()})
    binary = change(binary)
    if forged:
        if "arrays" in content:
            content["arrays"] = {**said, "sha256": hashlib.sha256(binary).hexdigest(), **lies}
        content["digest"] = digest(content)
    path.with_suffix(".bin").write_bytes(binary)
    path.write_text(json.dumps(content))


def verdict(content, tmp_path, forged=True):
    """What the checker says of a content that has its arrays with it."""
    path = tmp_path / "certificate.json"
    write(content, path, forged)
    return check(path)
