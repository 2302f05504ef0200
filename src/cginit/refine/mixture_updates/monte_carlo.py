"""Inverse Monte Carlo of all pairs of a mixture at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates.base import FreeRule, MixtureProblem
from cginit.refine.regularisation import fit_change
from cginit.refine.updates.monte_carlo import response_of

__all__ = ["MixtureIMC"]


@dataclass(frozen=True)
class MixtureIMC(FreeRule):
    r"""Inverse Monte Carlo of all pairs at once, with the cross-correlations of their numbers of pairs.

    The response of the numbers :math:`S_\alpha` of pairs of any two types in any bin to the potential in another,

    .. math:: \frac{\partial \langle S_\alpha \rangle}{\partial U_\gamma} = -\frac{1}{kT}
              (\langle S_\alpha S_\gamma \rangle - \langle S_\alpha \rangle \langle S_\gamma \rangle),

    shrunk and regularised by its noise as for one species; see `cginit.refine.updates.IMC`.

    Source: A. P. Lyubartsev and A. Laaksonen, Phys. Rev. E 52, 3730 (1995), doi:10.1103/PhysRevE.52.3730.
    """

    name: str = field(default="imc", init=False, repr=False)

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`.

        Raises
        ------
        ConvergenceError
            If the pair counts of the configurations were not kept.
        """
        last = history[-1]
        if not last.counts:
            raise ConvergenceError("inverse Monte Carlo needs the pair counts of every configuration")
        problem = MixtureProblem.of(last, target)
        parts = list(zip(problem.parts, problem.sizes, strict=True))
        response = response_of(
            np.concatenate([last.counts[pair].counts[:, :n] for pair, n in parts], 1),
            np.concatenate([last.counts[pair].ideal()[:n] for pair, n in parts]),
        )
        fit = fit_change(-response[problem.rows], problem.difference, problem.covariance, problem.bases)
        return problem.split(target.kT * fit.change), self.name
