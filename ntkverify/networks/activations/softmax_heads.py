"""Softmax over attention heads: F_l(T) = m Σ_r a_{l,r} S_r, S = softmax_r z(W_r; T), z an attention head's output.

The logits of the paper's network are linear in the weights; these are not, so that the Hessian of the logits counts
(docs/proofs/convergence.md, Lemma 9).
"""

from ntkverify.networks.activations.attention import HEAD
from ntkverify.networks.activations.softmax import value
from ntkverify.networks.nouns import TwoLayer

SOFTMAX_HEADS = TwoLayer(
    name="softmax-heads",
    title="m Σ_r a_r softmax_r z(W_r; T), z an attention head's output",
    source="a router over attention heads",
    value=value,
    slope=value,
    normalised=True,
    neuron=HEAD,
)
