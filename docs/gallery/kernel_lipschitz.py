r"""FALSE: the kernel moves by at most R

Source: Lemma 5.1 of arXiv:2405.03251, read without its factors n, d and κ
Networks: softmax
Setting: Softmax network, $\|\widetilde w_r - w_r\| \le R$ for every neuron, $\|x_i\| \le 1$.
Measured: Both sides at every drawn point of the ball; $R$ is what it is at the point.
Refuted by: One point at which the kernel moves further.

[derived]
Direction: upper
Statement: $$ \|H(\widetilde W) - H(W)\|_F \le R $$
Proof: None: the bound lacks the factor $d\,\kappa\,\|XX^\top\|_F$, and 2.
"""

from ntkverify.lemma import Form, distance, is_softmax, kernel_change, scaled


def lhs(problem, point, c):
    return kernel_change(problem, point)


def rhs(problem, point, c):
    return distance(point)


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(scaled("a tenth of it", rhs=0.1))
