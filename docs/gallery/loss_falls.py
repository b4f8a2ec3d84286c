r"""A small step does not increase the loss

Source: the descent lemma
Networks: any
Setting: Any network that trains by gradient descent from $W(0)$, at a step size that leaves the loss no room to grow.
Measured: Both sides at four times of a path of 32 steps from each draw.
Refuted by: One step after which the loss is larger.

[derived]
Direction: upper
Statement: $$ \|e(\tau+1)\|^2 \le \|e(\tau)\|^2 $$
Proof: The gradient of $\tfrac12\|e\|^2$ is $J^\top e$; if $\eta$ times the curvature along the step is at most 2, the step takes off at least nothing.
"""

from ntkverify.lemma import ON_PATH, Form, scaled, squared_error


def lhs(problem, point, c):
    return squared_error(problem, point.moved)


def rhs(problem, point, c):
    return squared_error(problem, point.base)


derived = Form(lhs, rhs, where=ON_PATH).with_twins(scaled("a tenth is left after one step", rhs=0.1))
