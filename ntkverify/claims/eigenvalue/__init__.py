"""The smallest eigenvalue of the limit kernel

All widths and numbers of steps in this field scale with λ⁻²; here is what λ is.  Floors by power series (docs/theory.md §9.1);
Karhadkar, Murray and Montúfar (2024) and Nguyen, Mondelli and Montúfar (2021) with constants as parameters, so that the
ratio that is reported is the implied constant.
"""
