"""Liquid-state theory: closures of the Ornstein-Zernike equation in both directions, virial and pressure.

`invert` goes from g(r) to U(r), `solve` from U(r) to g(r).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cginit.lazy import lazy_names
from cginit.liquid.boltzmann import bin_average_correction, boltzmann_inversion
from cginit.liquid.finite_size import compressibility_limit, infinite_system
from cginit.liquid.forward import ForwardSolution, solve
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.hard_sphere import barker_henderson, carnahan_starling
from cginit.liquid.long_wave import invert_with_long_wave
from cginit.liquid.ornstein_zernike import Closure, OZInversion, estimate_noise, invert
from cginit.liquid.virial import (
    compressibility_pressure,
    isothermal_compressibility,
    second_virial,
    third_virial,
    virial_pressure,
)

if TYPE_CHECKING:
    from cginit.liquid.mixture import MixtureInversion, invert_mixture

__all__ = [
    "Closure",
    "ForwardSolution",
    "MixtureInversion",
    "OZInversion",
    "RadialGrid",
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
    "invert_with_long_wave",
    "isothermal_compressibility",
    "second_virial",
    "solve",
    "third_virial",
    "virial_pressure",
]

__getattr__, __dir__ = lazy_names(__name__, {"cginit.liquid.mixture": ["MixtureInversion", "invert_mixture"]})
