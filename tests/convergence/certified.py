"""What the tests of certificates share: a small one that is proved, and what the checker says of a content."""

import dataclasses
import json

import jax
from conftest import make

from ntkverify.convergence.certificate import attempt
from ntkverify.checking.certificate_file import digest
from ntkverify.checking.checker import check
from ntkverify.networks.network import initialise


def two_points(m=24, **options):
    """Two orthonormal inputs, one output."""
    problem = make(n=2, d_in=2, d_out=1, m=m, sigma=0.05, **options)
    return dataclasses.replace(problem, X=jax.numpy.eye(2), y=jax.numpy.asarray([[1.0], [-1.0]]))


def proved(problem, **options):
    found = attempt(problem, initialise(problem, jax.random.key(0)), **options)
    assert found.proved, found.sentence
    return found


def verdict(content, tmp_path, forged=True):
    """What the checker says of a content; `forged`: with a digest that fits."""
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(content | ({"digest": digest(content)} if forged else {})))
    return check(path)
