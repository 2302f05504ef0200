"""What makes a run useless as a fluid in equilibrium: drift, two phases or clusters, a crystal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cginit.configuration import Trajectory
from cginit.curves import RDF, Array
from cginit.sampling.errors import BLOCKS, Mean, block_mean

__all__ = ["Health", "density_waves", "examine", "low_k_structure_factor"]


def low_k_structure_factor(trajectory: Trajectory) -> Mean:
    r"""Return S(k) averaged over the three smallest wave vectors that fit the box.

    .. math:: S(k) = \frac{1}{N} \Big\langle \big| \sum_j e^{-i k \cdot r_j} \big|^2 \Big\rangle

    The three of one frame are averaged, frames are blocked. A box that separates into two phases, or clusters,
    has S(k_min) >> 1; the ideal gas has 1.
    """
    s = [density_waves(frame, np.diag(trajectory.box))[1].mean() for frame in trajectory.positions]
    return block_mean(s, min(BLOCKS, len(trajectory)))


def density_waves(positions: ArrayLike, vectors: Array) -> tuple[Array, Array]:
    r"""Return the wave numbers of the three vectors that span the reciprocal lattice, and S at them in one frame.

    Parameters
    ----------
    positions : array_like, shape (n, 3)
        Beads.
    vectors : ndarray, shape (3, 3)
        The edges of the box as rows.

    Returns
    -------
    k, s : ndarray, shape (3,)
        Wave numbers and :math:`|\sum_j e^{-i k \cdot r_j}|^2 / N`.
    """
    waves = 2.0 * np.pi * np.linalg.inv(vectors).T
    # Single precision is enough for a phase and twice as fast.
    phases = np.asarray(positions, dtype=np.float32) @ waves.T.astype(np.float32)
    amplitude = np.exp(-1j * phases).sum(axis=0)
    return np.linalg.norm(waves, axis=1), np.abs(amplitude).astype(np.float64) ** 2 / phases.shape[0]


@dataclass(frozen=True)
class Health:
    """What is wrong with a run as an equilibrium fluid; ``ok`` if nothing is.

    Attributes
    ----------
    reasons : tuple of str
        One sentence each, beginning with a keyword: ``not equilibrated:``, ``inhomogeneous:``, ``crystal:``.
    s_k_min : float
        S at the smallest wave vectors.
    """

    reasons: tuple[str, ...]
    s_k_min: float

    @property
    def ok(self) -> bool:
        """Whether the run is a homogeneous fluid in equilibrium as far as can be seen."""
        return not self.reasons


#: S(k_min) of a homogeneous fluid stays well below this except close to a critical point.
S_K_MIN_LIMIT = 6.0
#: A Bragg peak is of order N. The peak of S(k) of a fluid is below 2.85 where it freezes (Hansen and
#: Verlet, Phys. Rev. 184, 151, 1969, doi:10.1103/PhysRev.184.151); of a thousand single wave vectors in a
#: slow fluid that hardly decorrelates, the largest is ln(1000) times that, about 20. Hence a part of N.
BRAGG_PART, BRAGG_FLOOR = 0.04, 10.0
#: g(r) of a fluid is flat at half the box; 4 sigma of noise plus a finite-size part of this much is allowed.
FLATNESS = 0.05
#: Drift of the energy between the halves of a run, in standard errors, beyond which it is not equilibrated.
DRIFT_SIGMAS = 4.0


def examine(trajectory: Trajectory, g: RDF, energy: ArrayLike | None = None) -> Health:
    """Look for what makes a run useless: drift, two phases or clusters, a crystal.

    Parameters
    ----------
    trajectory : Trajectory
        The production run.
    g : RDF
        Its g(r), to half the box or near it.
    energy : array_like, shape (k,), optional
        Energy per bead along the production run, for the drift test: the means of the two halves, each
        with the error of five blocks, differ by less than 4 standard errors (t-distributed with 8 degrees of
        freedom: one false alarm in about 250 runs), or by less than 0.2 % of the mean.
    """
    reasons: list[str] = []
    if energy is not None:
        series = np.asarray(energy, dtype=np.float64)
        half = series.size // 2
        if half >= 5:
            first, second = block_mean(series[:half], 5), block_mean(series[half:], 5)
            drift = abs(first.value - second.value)
            noise = float(np.hypot(first.error, second.error))
            if drift > DRIFT_SIGMAS * noise and drift > 2e-3 * abs(second.value) + 1e-4:
                reasons.append(
                    f"not equilibrated: the energy per bead drifts from {first.value:.4g} to "
                    f"{second.value:.4g} ({drift / noise:.1f} standard errors) within the run; equilibrate longer"
                )
    low = low_k_structure_factor(trajectory)
    limit = S_K_MIN_LIMIT * _beads_in_phase(trajectory)
    if low.value > limit:
        reasons.append(
            f"inhomogeneous: S(k_min) = {low.value:.3g}, where a homogeneous fluid stays below "
            f"{limit:g}; the beads cluster or the box holds two phases"
        )
    tail = g.r > 0.85 * g.r_max
    excess = float(np.mean(g.g[tail] - 1.0))
    noise = 0.0 if g.error is None else float(np.mean(g.error[tail]))
    # A g(r) that ends before half the box may end in a true oscillation; S(k_min) alone must do then.
    reaches_half = g.r_max > 0.9 * 0.5 * float(np.min(trajectory.box))
    if reaches_half and abs(excess) > FLATNESS + 4.0 * noise:
        reasons.append(
            f"inhomogeneous: g is {1.0 + excess:.3f} on average beyond r = {0.85 * g.r_max:.3g}, not 1; "
            "the box holds two phases or is too small"
        )
    peak = _bragg_peak(trajectory)
    if peak > max(BRAGG_FLOOR, BRAGG_PART * trajectory.n):
        reasons.append(f"crystal: S(k) reaches {peak:.3g} at one wave vector, a Bragg peak")
    return Health(tuple(reasons), low.value)


def _bragg_peak(trajectory: Trajectory, frames: int = 16) -> float:
    """Largest S(k) of any single wave vector, averaged over frames spread over the run.

    In a fluid the amplitude of one wave vector decorrelates and the average stays near S(k); in a crystal it
    persists. The density field on a grid of about half a bead spacing reaches past the first Bragg peaks.
    """
    chosen = np.unique(np.linspace(0, len(trajectory) - 1, frames).astype(int))
    cells = np.maximum(8, np.ceil(2.5 * trajectory.box * trajectory.density ** (1 / 3))).astype(int)
    total: Array | float = 0.0
    for index in chosen:
        scaled = trajectory.positions[index] / trajectory.box + 0.5
        cell = np.floor((scaled % 1.0) * cells).astype(int) % cells
        field = np.zeros(tuple(cells))
        np.add.at(field, tuple(cell.T), 1.0)
        total = total + np.abs(np.fft.rfftn(field)) ** 2 / trajectory.n
    spectrum = np.asarray(total) / chosen.size
    spectrum[0, 0, 0] = 0.0
    return float(spectrum.max())


def _beads_in_phase(trajectory: Trajectory) -> float:
    """Return the beads of a molecule, by which S(k) of a gas of molecules exceeds 1; their average over beads."""
    if trajectory.topology is None:
        return 1.0
    sizes = np.bincount(trajectory.topology.molecules)
    return float(np.sum(sizes**2) / np.sum(sizes))
