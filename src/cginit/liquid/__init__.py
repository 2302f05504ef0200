"""Liquid-state theory: closures of the Ornstein-Zernike equation in both directions, virial and pressure.

`invert` goes from g(r) to U(r), `solve` from U(r) to g(r), and `measured_liquid` tells how a measured g(r) answers
to a change of U(r). One species is a liquid of one: all but `solve` is written for any number of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cginit.lazy import lazy_names

if TYPE_CHECKING:
    from cginit.liquid.boltzmann import bin_average_correction, boltzmann_inversion
    from cginit.liquid.finite_size import compressibility_limit, infinite_system
    from cginit.liquid.forward import ForwardSolution, solve
    from cginit.liquid.fourier import RadialGrid
    from cginit.liquid.hard_sphere import barker_henderson, carnahan_starling
    from cginit.liquid.joint_inversion import invert_with_structure_factor
    from cginit.liquid.long_wave import invert_with_long_wave
    from cginit.liquid.mixture import MixtureInversion, invert_mixture
    from cginit.liquid.ornstein_zernike import (
        Closure,
        MeasuredLiquid,
        OZInversion,
        estimate_noise,
        invert,
        invert_together,
    )
    from cginit.liquid.pair_inversion import PairInversion, invert_pairs
    from cginit.liquid.response import Liquid, Response, measured_liquid
    from cginit.liquid.virial import (
        compressibility_pressure,
        isothermal_compressibility,
        second_virial,
        third_virial,
        virial_pressure,
    )

__all__ = [
    "Closure",
    "ForwardSolution",
    "Liquid",
    "MeasuredLiquid",
    "MixtureInversion",
    "OZInversion",
    "PairInversion",
    "RadialGrid",
    "Response",
    "barker_henderson",
    "bin_average_correction",
    "boltzmann_inversion",
    "carnahan_starling",
    "compressibility_limit",
    "compressibility_pressure",
    "estimate_noise",
    "infinite_system",
    "invert",
    "invert_mixture",
    "invert_pairs",
    "invert_together",
    "invert_with_long_wave",
    "invert_with_structure_factor",
    "isothermal_compressibility",
    "measured_liquid",
    "second_virial",
    "solve",
    "third_virial",
    "virial_pressure",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "cginit.liquid.boltzmann": ["bin_average_correction", "boltzmann_inversion"],
        "cginit.liquid.finite_size": ["compressibility_limit", "infinite_system"],
        "cginit.liquid.forward": ["ForwardSolution", "solve"],
        "cginit.liquid.fourier": ["RadialGrid"],
        "cginit.liquid.hard_sphere": ["barker_henderson", "carnahan_starling"],
        "cginit.liquid.joint_inversion": ["invert_with_structure_factor"],
        "cginit.liquid.long_wave": ["invert_with_long_wave"],
        "cginit.liquid.mixture": ["MixtureInversion", "invert_mixture"],
        "cginit.liquid.ornstein_zernike": [
            "Closure",
            "MeasuredLiquid",
            "OZInversion",
            "estimate_noise",
            "invert",
            "invert_together",
        ],
        "cginit.liquid.pair_inversion": ["PairInversion", "invert_pairs"],
        "cginit.liquid.response": ["Liquid", "Response", "measured_liquid"],
        "cginit.liquid.virial": [
            "compressibility_pressure",
            "isothermal_compressibility",
            "second_virial",
            "third_virial",
            "virial_pressure",
        ],
    },
)
