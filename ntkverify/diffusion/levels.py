"""What kernel gradient descent is expected to reach, before any label is drawn or any network trained.

Labels are f*(t_i, x_i) + ξ_i with independent ξ_i of mean 0 and known covariance C_i, and predictions are
linear in them: f_τ(x) = Σ_i A_τ(x, i) y_i, A_τ = K(x, X) (I − (I − rate K)^τ) K⁻¹, K of the infinite-width
network.  Hence, exactly for that network and these inputs,

    E‖f_τ − f*‖² = ‖A_τ f*(X) − f*‖² + Σ_i (AᵀA)_{ii} tr C_i     (means over test rows),

and, where ξ is Gaussian (one Gaussian: always), its variance is 4 Σ_i g_iᵀ C_i g_i + 2 Σ_{ij} (AᵀA)²_{ij} tr(C_i C_j),
g = Aᵀ(A f*(X) − f*).
"""

from dataclasses import dataclass

import numpy as np

STANDARD_DEVIATIONS = 2.0
"""How far above its mean the predicted level lies."""
FORMULA = (
    "bias² + Σ_i (AᵀA)_ii tr C_i + 2 standard deviations over label noise, at the best τ of the mean (K infinite-width)"
)


@dataclass(frozen=True)
class Expected:
    """Mean and standard deviation over label noise of the error, (times,) each; `bias` is its part without noise."""

    bias: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


def expected(
    K: np.ndarray, across: np.ndarray, learn: np.ndarray, test: np.ndarray, covariances: np.ndarray, times
) -> Expected:
    """K (n, n), across (N, n) = K(test, training), f* at both, (n, d) and (N, d), label covariances (n, d, d);
    the step is 1/λ_max(K)."""
    values, V = np.linalg.eigh(K)
    p = np.clip(values / values[-1], 0, 1)
    inward, half = V.T @ learn, across @ V
    rows = []
    for time in times:
        grown = np.where(p > 0, -np.expm1(time * np.log1p(-np.minimum(p, 1 - 1e-16))) / np.where(p > 0, p, 1), time)
        grown = grown / values[-1]
        A = (half * grown) @ V.T
        away = (half * grown) @ inward - test
        Q, g = A.T @ A / len(test), A.T @ away / len(test)
        bias = np.sum(away**2) / len(test)
        noise = np.einsum("ii,ijj->", Q, covariances)
        linear = 4 * np.einsum("ia,iab,ib->", g, covariances, g)
        flat = covariances.reshape(len(K), -1)
        quadratic = 2 * np.sum(Q**2 * (flat @ flat.T))
        rows.append((bias, bias + noise, np.sqrt(linear + quadratic)))
    return Expected(*(np.array(column) for column in zip(*rows, strict=True)))
