"""Published equations of state that simulations are tested against."""

from __future__ import annotations

import numpy as np


def helmholtz_thol(T: float, density: float) -> float:
    """Residual a/kT of the Lennard-Jones fluid truncated and shifted at 2.5 sigma.

    M. Thol, G. Rutkai, R. Span, J. Vrabec, R. Lustig, Int. J. Thermophys. 36, 25 (2015),
    doi:10.1007/s10765-014-1764-4.
    """
    tau, delta = 1.086 / T, density / 0.319
    n, t, d = np.array(
        [
            (0.0156060840, 1.000, 4), (1.7917527, 0.304, 1), (-1.9613228, 0.583, 1),
            (1.3045604, 0.662, 2), (-1.8117673, 0.870, 2), (0.15483997, 0.870, 3),
        ]
    ).T  # fmt: skip
    a = np.sum(n * tau**t * delta**d)
    n, t, d, power = np.array(
        [
            (-0.47510982, 1.286, 1, 1), (-0.58422807, 1.960, 1, 2), (-0.50607364, 2.400, 3, 2),
            (0.11639644, 1.700, 2, 1), (-0.20092412, 3.000, 2, 2), (-0.094885204, 1.250, 5, 1),
        ]
    ).T  # fmt: skip
    a += np.sum(n * tau**t * delta**d * np.exp(-(delta**power)))
    n, t, d, eta, beta, gamma, epsilon = np.array(
        [
            (0.0094333106, 3.600, 1, 4.70, 20.0, 1.0, 0.55), (0.30444628, 2.080, 1, 1.92, 0.77, 0.5, 0.70),
            (-0.0010820946, 5.240, 2, 2.70, 0.50, 0.8, 2.00), (-0.099693391, 0.960, 3, 1.49, 0.80, 1.5, 1.14),
            (0.0091193522, 1.360, 3, 0.65, 0.40, 0.7, 1.20), (0.12970543, 1.655, 2, 1.73, 0.43, 1.6, 1.31),
            (0.02303603, 0.900, 1, 3.70, 8.00, 1.3, 1.14), (-0.082671073, 0.860, 2, 1.90, 3.30, 0.6, 0.53),
            (-2.2497821, 3.950, 3, 13.20, 114.0, 1.3, 0.96),
        ]
    ).T  # fmt: skip
    bell = np.exp(-eta * (delta - epsilon) ** 2 - beta * (tau - gamma) ** 2)
    return float(a + np.sum(n * tau**t * delta**d * bell))


def helmholtz_pets(T: float, density: float) -> float:
    """Return the same by perturbation theory, fitted independently.

    M. Heier, S. Stephan, J. Liu, W. G. Chapman, H. Hasse, K. Langenbach, Mol. Phys. 116, 2083 (2018),
    doi:10.1080/00268976.2018.1447153.
    """
    d = 1.0 - 0.127112544 * np.exp(-3.052785558 / T)
    eta = np.pi / 6.0 * density * d**3
    first = (0.690603404, 1.189317012, 1.265604153, -24.34554201, 93.67300357, -157.8773415, 96.93736697)
    second = (0.664852128, 2.10733079, -9.597951213, -17.37871193, 30.17506222, 209.3942909, -353.2743581)
    spheres = eta * (4.0 - 3.0 * eta) / (1.0 - eta) ** 2
    damping = 1.0 + 2.0 * eta * (4.0 - eta) / (1.0 - eta) ** 4
    return float(
        spheres
        - 2.0 * np.pi * density * np.polyval(first[::-1], eta) / T
        - np.pi * density * np.polyval(second[::-1], eta) / damping / T**2
    )


def pressure_and_energy(helmholtz, T: float, density: float) -> tuple[float, float]:
    h = 1e-5
    slope = (helmholtz(T, density + h) - helmholtz(T, density - h)) / (2.0 * h)
    cooling = (helmholtz(T + h, density) - helmholtz(T - h, density)) / (2.0 * h)
    return density * T * (1.0 + density * slope), -(T**2) * cooling
