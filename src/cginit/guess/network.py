"""The trained networks as a guess, with a way back to liquid-state theory where they have not been trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.curves import RDF, Array, PairPotential, median
from cginit.errors import CGInitError, ConvergenceError
from cginit.guess.assembly import VisibleTarget, potential_from, visible_target
from cginit.guess.base import attempt
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import IntegralEquation, at_infinite_sizes
from cginit.guess.network_view import (
    Seen,
    View,
    bounded,
    corrected,
    on_target_grid,
    views_of_correlations,
    views_of_g,
)
from cginit.models.coverage import noise_level, outside
from cginit.models.grid import POINTS, RANGE, bridge_grid, network_grid, on_network_grid
from cginit.models.model import Model, load_model
from cginit.models.scale import network_length
from cginit.state import StatePoint, excluded_diameter

__all__ = ["NetworkGuess", "View", "on_target_grid"]

#: Median standard error in kT, over the visible part, from which the members of the ensemble count as at odds.
MAX_ERROR = 1.0
#: Training g's end at 3 network sigma at the earliest.
SHORTEST_RANGE = 3.0
#: The model that needs no solution of the Ornstein-Zernike equation.
WITHOUT_INVERSION = "cn-f"
#: Sigma of the WCA beads of the training in units of their excluded diameter.
CORE = 1.1


@dataclass(frozen=True)
class NetworkGuess:
    r"""The potential that a trained network sees in g(r) and the density.

    1. Lengths become multiples of the network's sigma (`cginit.models.scale.network_length`, at most a fifth of the
       range of g or, for networks that see g alone, sigma of a core). g goes onto the points of the network on
       [0, 5] sigma, 50 or, for the bridge function, 101; a missing core is 0, and beyond the end of the target g is
       1. A network of the bridge function also sees gamma = h - c of the Ornstein-Zernike equation on the grid of the
       target.
    2. The network gives U/kT and the spread of its ensemble on the same points.
    3. A cubic spline takes U back to the grid of the target. The flank of a core (g < 0.5) is steeper than these
       points can follow; there, and for the bridge function everywhere, the difference :math:`U/kT + \ln g`, which is
       smooth, is taken back instead.
    4. Below the first visible point of g the core is extrapolated, and U(r_cut) = 0 by shift.

    If the input lies outside of what the network was trained on (`cginit.models.coverage`), or its members
    are at odds, the guess is that of HNC, or of Boltzmann inversion where HNC has no solution, and its notes
    say why. Where a network of the bridge function finds no solution of the Ornstein-Zernike equation, ``cn-f`` takes
    its place.

    Parameters
    ----------
    name : str
        Name of the model, one of `cginit.models.model.model_names`.
    fallback : bool
        Whether to fall back outside the trained range. False returns the network's curve there, with the notes.
    bin_average : bool
        Whether g holds averages over bins of its step, as histograms give them; False for point values.
    folder : Path, optional
        Where the model's files are, if not in the package.
    stretch : float
        Factor on the network's sigma, on which the result should not hang: the networks are trained for any.

    References
    ----------
    F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441.

    Examples
    --------
    >>> r = np.linspace(0.0, 5.0, 101)
    >>> target = RDF(r, np.exp(-2 * np.exp(-(r**2))), units="lj")
    >>> potential = NetworkGuess()(target, StatePoint(0.2, 1.0), r_cut=3.0)
    >>> potential.provenance.method
    'cn-f'
    """

    name: str = "cn-f"
    fallback: bool = True
    bin_average: bool = True
    folder: Path | None = None
    stretch: float = 1.0

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
        """Propose the pair potential.

        Raises
        ------
        InputError
            If g shows nothing or ends before `r_cut`, or there is no such model.
        """
        return self.of_correlations(target, state, r_cut, None)

    def of_correlations(
        self, target: RDF, state: StatePoint, r_cut: float, gamma: Array | None
    ) -> PairPotential:
        """Propose the pair potential from g and, for the bridge function, from gamma = h - c of another source.

        Parameters
        ----------
        target, state, r_cut
            See `Guess`.
        gamma : ndarray, shape (2, n), or None
            On the grid of the target, by inversions with the two `cginit.models.correlations.WEIGHTS` of noise; None
            for those of a fluid of one species.

        Raises
        ------
        InputError
            If g shows nothing or ends before `r_cut`, or there is no such model.
        """
        (answer,) = self._answers([(target, state, r_cut)], [gamma])
        if isinstance(answer, PairPotential):
            return answer
        raise answer

    def many(self, questions: Sequence[tuple[RDF, StatePoint, float]]) -> list[PairPotential | CGInitError]:
        """Propose the pair potential of each target, state and cut-off, or return what a call with it raises."""
        return self._answers(questions, [None] * len(questions))

    def _answers(
        self, questions: Sequence[tuple[RDF, StatePoint, float]], gammas: Sequence[Array | None]
    ) -> list[PairPotential | CGInitError]:
        model = load_model(self.name, self.folder)
        shown = [attempt(visible_target, one[0], bin_average=self.bin_average) for one in questions]
        answers: dict[int, PairPotential | CGInitError] = {
            i: one for i, one in enumerate(shown) if isinstance(one, CGInitError)
        }
        left = [i for i in range(len(questions)) if i not in answers]
        visible = at_infinite_sizes(
            [one for one in shown if isinstance(one, VisibleTarget)], [questions[i][1].density for i in left]
        )
        cases = [
            self._case(model, one, *questions[i][1:], gammas[i]) for i, one in zip(left, visible, strict=True)
        ]
        seen = [one for one, _ in cases]
        views = views_of_correlations(model, seen) if model.sees_correlations else views_of_g(model, seen)
        for i, case, view in zip(left, cases, views, strict=True):
            answers[i] = attempt(self._answer, model, questions[i], *case, view)
        return [answers[i] for i in range(len(questions))]

    def _case(
        self, model: Model, visible: VisibleTarget, state: StatePoint, r_cut: float, gamma: Array | None
    ) -> tuple[Seen, list[str]]:
        """Return what the network sees of a target, and in which respects it has not been trained on such a one."""
        target = visible.target
        length = self._length(model, target, state, r_cut)
        points = bridge_grid() if model.sees_correlations else network_grid()
        both = on_network_grid(target, length, np.concatenate([network_grid(), points]))
        density = state.density * length**3
        noise = noise_level(target.r, visible.error) / length**1.5
        reasons = list(outside(model.domain, both[:POINTS], density, noise))
        if target.r_max < SHORTEST_RANGE * length * (1.0 - 1e-9):
            reasons.append(
                f"g(r) ends at {target.r_max / length:.2g} network sigma; the network was trained down to "
                f"{SHORTEST_RANGE:g}"
            )
        return Seen(visible, density, length, both[POINTS:], r_cut, gamma), reasons

    def _answer(
        self,
        model: Model,
        question: tuple[RDF, StatePoint, float],
        seen: Seen,
        reasons: list[str],
        view: View | ConvergenceError,
    ) -> PairPotential:
        """Return the potential of what the network says, or that of what takes its place."""
        _, state, r_cut = question
        visible, length = seen.visible, seen.length
        target = visible.target
        if isinstance(view, ConvergenceError):
            if not self.fallback:
                raise view
            return self._smaller(*question, view)
        doubt = median(view.error[view.g > 0.0])
        if not doubt <= MAX_ERROR:
            reasons = [*reasons, f"the networks of the ensemble differ by {doubt:.2g} kT"]
        if reasons and self.fallback:
            return self._instead(question, visible, view, reasons)

        notes = [f"outside the trained range of {self.name}: {reason}" for reason in reasons]
        if target.r_max < RANGE * length * (1.0 - 1e-6):
            notes.append(
                f"g(r) ends at {target.r_max:.4g} {target.units.length}, before the network's range of "
                f"{RANGE * length:.4g}; it was taken as 1 beyond"
            )
        back = corrected if model.sees_correlations else on_target_grid
        curve, curve_error = back(visible, length, view)
        if view.gamma is not None and target.structure_factor is not None:
            curve = bounded(visible, curve, view.gamma)
        notes += view.notes
        return potential_from(
            visible,
            state.kT * curve,
            state,
            r_cut,
            self.name,
            model=f"{model.name} {model.version}",
            u_error=state.kT * curve_error,
            notes=tuple(notes),
        )

    def _length(self, model: Model, target: RDF, state: StatePoint, r_cut: float) -> float:
        """Return the network sigma in the length unit of the target."""
        length = self.stretch * network_length(target, state, r_cut)
        # The networks are trained over a wide range of scales; the best is one at which g covers all of their range.
        # On the 50 points of those that see g alone, a core must not be larger than in training.
        core = 0.0 if model.sees_correlations else CORE * excluded_diameter(target)
        return max(min(length, max(target.r_max / RANGE, core)), r_cut / RANGE)

    def _smaller(self, target: RDF, state: StatePoint, r_cut: float, why: ConvergenceError) -> PairPotential:
        potential = replace(self, name=WITHOUT_INVERSION, folder=None)(target, state, r_cut)
        if potential.provenance is not None and potential.provenance.method == WITHOUT_INVERSION:
            first = f"{self.name} was not used, {WITHOUT_INVERSION} was: {why}"
        else:
            # The notes that follow say why that one was not used either, and what was.
            first = f"{self.name} was not used: {why}"
        rest = (note.replace(f"({why})", "for the same reason") for note in potential.notes)
        return replace(potential, notes=(first, *rest))

    def _instead(
        self,
        question: tuple[RDF, StatePoint, float],
        visible: VisibleTarget,
        view: View,
        reasons: list[str],
    ) -> PairPotential:
        target, state, r_cut = question
        why = "; ".join(reasons)
        hnc = IntegralEquation("hnc", self.bin_average)
        try:
            # The network has seen the same inversion.
            potential = (
                hnc(target, state, r_cut)
                if view.gamma is None
                else hnc.of_gamma(visible, view.gamma, state, r_cut, view.notes)
            )
            note = f"{self.name} was not used, HNC was: {why}"
        except ConvergenceError as error:
            potential = Boltzmann(self.bin_average)(target, state, r_cut)
            note = f"{self.name} was not used, and HNC failed ({error}); this is Boltzmann inversion: {why}"
        return replace(potential, notes=(note, *potential.notes))
