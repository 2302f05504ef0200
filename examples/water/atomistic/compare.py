"""Compare two g(r) of the same liquid: largest and root mean square difference, first peak, first minimum.

    python compare.py target.dat REFERENCE [--units U] [--warmer OTHER KELVIN]

With a g(r) of the same model that is warmer by so many kelvin, the difference is also expressed as the change of
temperature that explains it best, and what that leaves over.
"""

import argparse

import numpy as np

from cginit import RDF
from cginit.io import read_rdf, read_rdf_header


def on(r: np.ndarray, curve: RDF) -> np.ndarray:
    """Return g at r; on a common grid these are the rows themselves, else it is linear in between."""
    return np.interp(r, curve.r, curve.g)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target")
    parser.add_argument("reference")
    parser.add_argument("--units", default="nm-kJ/mol", help="units of a reference that does not state them")
    parser.add_argument("--warmer", nargs=2, metavar=("OTHER", "KELVIN"))
    options = parser.parse_args()

    target = read_rdf(options.target)
    stated = read_rdf_header(options.reference).units
    reference = read_rdf(options.reference, units=stated or options.units).to(target.units)
    inside = (target.r >= reference.r[0] - 1e-6) & (target.r <= reference.r_max + 1e-6)
    r, g = target.r[inside], target.g[inside]
    error = np.zeros_like(r) if target.error is None else target.error[inside]
    theirs = on(r, reference)
    difference = g - theirs
    worst = int(np.argmax(np.abs(difference)))
    unit = target.units.length
    print(f"{r.size} distances from {r[0]:g} to {r[-1]:g} {unit}")
    print(f"largest difference   {difference[worst]:+.4f} +- {error[worst]:.4f} at {r[worst]:g} {unit}")
    print(f"rms difference       {np.sqrt(np.mean(difference**2)):.4f}")
    print(f"rms standard error   {np.sqrt(np.mean(error**2)):.4f} (target)")
    peak = int(np.argmax(theirs))
    dip = peak + int(np.argmin(theirs[peak:][r[peak:] < 1.5 * r[peak]]))
    for name, k in (("first peak", peak), ("first minimum", dip)):
        print(f"{name:20s} {g[k]:.4f} +- {error[k]:.4f} against {theirs[k]:.4f} at {r[k]:g} {unit}")
    if options.warmer:
        other, kelvin = options.warmer
        slope = (on(r, read_rdf(other)) - g) / float(kelvin)
        shift = float(-slope @ difference / (slope @ slope))
        rest = difference + shift * slope
        print(f"the reference is like the target at {shift:+.1f} K; then the largest difference is")
        print(
            f"                     {np.max(np.abs(rest)):.4f}, the rms difference {np.sqrt(np.mean(rest**2)):.4f}"
        )


if __name__ == "__main__":
    main()
