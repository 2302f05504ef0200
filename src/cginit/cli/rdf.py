"""``cg-init target``: a target g(r) from an atomistic trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cginit.cli.groups import with_groups
from cginit.cli.target_options import RdfOptions, default_dr
from cginit.cli.voice import quantity, voice
from cginit.errors import InputError
from cginit.io.formats import is_potential_name
from cginit.state import StatePoint

if TYPE_CHECKING:
    from cginit.bonded import Potential
    from cginit.curves import RDF
    from cginit.interactions import Interactions
    from cginit.trajectory import MappedSystem, MoleculeTargets

__all__ = ["rdf"]

#: Part of the volume by which boxes in single precision differ that are the same.
CONSTANT = 1e-5

Pair = tuple[str, str]


def rdf_command(options: RdfOptions) -> None:
    """Make targets of a trajectory: map it to beads and write their g(r), one file for each pair of bead types.

    Each file states density, kT and units, so that cg-init guess --rdf FILE needs nothing else. The third column is
    the standard error of g from blocks in time.
    """
    from cginit.io.curve_questions import question_bonds

    spoken = voice()
    out = options.place
    if is_potential_name(out) and not out.lower().endswith(".xvg"):
        raise InputError(
            f"the name of {out} means the table of a potential, but it would hold a g(r); name it .dist.tgt or .dat"
        )
    energy, pressure = options.energy, options.target_pressure
    if pressure is not None and options.system_file is None:
        raise InputError("--pressure is written into the file of --system; give one")
    targets, sampled, files, configurations, molecules = _sample(options)
    density = sampled.density if options.density is None else options.density
    state = StatePoint(density, energy, sampled.units)
    _write(targets, files, state, sampled)
    first, last, mean = sampled.volumes
    spoken.result["volume"] = quantity(mean, f"{sampled.units.length}^3")
    if max(abs(first - mean), abs(last - mean)) > CONSTANT * mean:
        spoken.line(f"volume: first {first:.6g}, last {last:.6g}, mean {mean:.6g} {sampled.units.length}^3")
    for names, curve in targets.items():
        # Only where nothing is known of bonds do they still count.
        if molecules is None and (question := question_bonds(curve.with_core())):
            spoken.note(f"{'-'.join(names)}: {question}", "note: ")
    for path in configurations:
        spoken.file(path, "beads")
    for note in sampled.notes:
        spoken.note(note, "note: ")
    if options.system_file is not None and molecules is not None:
        from cginit.cli.molecule_system import write_molecules

        wanted = not sampled.mapped if options.start is None else options.start
        tables = _first_potentials(options, molecules, energy) if wanted else None
        written = write_molecules(
            options.system_file, molecules, energy, files, density=density, pressure=pressure, first=tables
        )
        for path, what in written:
            spoken.file(path, what)
    elif options.system_file is not None:
        _write_system(options.system_file, files, state, sampled, pressure)


rdf = with_groups(rdf_command)


def _sample(
    options: RdfOptions,
) -> tuple[dict[Pair, RDF], MappedSystem, dict[Pair, Path], list[Path], MoleculeTargets | None]:
    """Return g(r) of each pair, the system, the file of each pair, the configurations written, and the molecules."""
    from cginit.cli.progress import counting
    from cginit.trajectory import write_beads
    from cginit.trajectory.molecule_target import molecules_of
    from cginit.trajectory.sampled import sampled
    from cginit.trajectory.source import BeadSource

    source = BeadSource(options.topology, options.trajectory, **options.frames, exclusions=options.exclude)
    with counting() as report:
        found = sampled(
            source,
            dr=default_dr(options.system) if options.dr is None else options.dr,
            r_max=options.r_max,
            pairs=options.pair,
            blocks=options.blocks,
            workers=options.workers,
            progress=report("g(r), frames"),
            molecules=options.system_file is not None,
        )
        molecules = molecules_of(found)
        targets, system = found.rdfs(), found.system if molecules is None else molecules.system
        files = _files(options.place, list(targets))
        beads = [
            write_beads(
                options.topology,
                options.trajectory,
                path,
                progress=report(f"{path.name}, frames"),
                **options.frames,
            )
            for path in options.out_beads or ()
        ]
    return targets, system, files, beads, molecules


def _first_potentials(
    options: RdfOptions, molecules: MoleculeTargets, kT: float
) -> Interactions[Potential] | None:
    """Return the potentials that the frames show directly; None, and a note why, where they do not."""
    from cginit.cli.progress import waiting
    from cginit.errors import ConvergenceError
    from cginit.guess.direct import direct_inversion

    try:
        with waiting("inverting the frames for potentials to start from"):
            return direct_inversion(
                options.topology, options.trajectory, molecules, kT, blocks=options.blocks, **options.frames
            )
    except (InputError, ConvergenceError) as error:
        voice().note(f"no potentials to start from were made of the frames: {error}", "note: ")
        return None


def _write(
    targets: Mapping[Pair, RDF], files: Mapping[Pair, Path], state: StatePoint, sampled: MappedSystem
) -> None:
    """Write g(r) of each pair, and say so."""
    from cginit.io import write_rdf

    spoken = voice()
    spoken.result |= {
        "pairs": {"-".join(names): str(file) for names, file in files.items()},
        "beads": sampled.n_beads,
        "frames": sampled.n_frames,
        "time": list(sampled.times),
        "density": quantity(state.density, sampled.units.density),
        "densities": {name: quantity(one, sampled.units.density) for name, one in sampled.densities},
        "kT": quantity(state.kT, sampled.units.energy),
    }
    # Whoever guesses from one of the files is told that it is no liquid of its own.
    part = "molecules" if sampled.several else "mixture" if len(sampled.densities) > 1 else None
    for names, file in files.items():
        written = write_rdf(
            targets[names],
            file,
            state=state,
            notes=_notes(names, sampled),
            left_out=sampled.exclusions,
            part_of=part,
        )
        label = "" if len(sampled.densities) == 1 else f" {'-'.join(names)}"
        spoken.file(
            written,
            f"g(r){label} of {sampled.n_beads} beads ({sampled.mapping}) from {sampled.n_frames} frames, "
            f"time {sampled.times[0]:g} to {sampled.times[1]:g}; density {state.density:.6g} "
            f"{sampled.units.density}, kT {state.kT:.6g} {sampled.units.energy}",
        )
        if (waves := targets[names].structure_factor) is not None:
            spoken.result["structure_factor"] = [list(row) for row in waves.rows()]
            spoken.line(
                f"S(k) at {len(waves)} wave numbers up to {waves.k[-1]:.3g} 1/{waves.units.length}, in its header: "
                f"{waves.s[0]:.3g} ± {waves.error[0]:.2g} at {waves.k[0]:.3g}"
            )


def _write_system(
    path: Path,
    files: Mapping[Pair, Path],
    state: StatePoint,
    sampled: MappedSystem,
    pressure: float | None,
) -> None:
    """Write what ``cg-init refine`` reads, and say so."""
    from cginit.cli.system import next_command, write_system

    scale = state.density / sampled.density
    densities = {kind: scale * value for kind, value in sampled.densities}
    voice().file(write_system(path, state, densities, dict(files), pressure), next_command(path))
    if sampled.several:
        voice().note(
            f"molecules have several beads, and {path} says nothing of their bonds, which neither the mapping nor "
            "the topology names; name them in a mapping file",
            "note: ",
        )


def _files(out: str, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], Path]:
    """Return the file of each pair, its folder made."""
    if "{pair}" in out:
        files = {pair: Path(out.replace("{pair}", "-".join(pair))) for pair in pairs}
    elif out.endswith("/") or Path(out).is_dir():
        files = {pair: Path(out) / f"{'-'.join(pair)}.dat" for pair in pairs}
    elif len(pairs) == 1:
        return {pairs[0]: Path(out)}
    else:
        names = ", ".join("-".join(pair) for pair in pairs)
        raise InputError(
            f"--out {out} is one file, but there are {len(pairs)} pairs ({names}); give a folder (with / at its "
            "end), a name with {pair} in it, or --pair"
        )
    for file in files.values():
        file.parent.mkdir(parents=True, exist_ok=True)
    return files


def _notes(pair: tuple[str, str], sampled: MappedSystem) -> list[str]:
    # What was odd stays with the file, whoever guesses from it.
    odd = list(sampled.notes)
    if len(sampled.densities) == 1:
        return odd
    parts = ", ".join(f"{kind} {density:.6g}" for kind, density in sampled.densities)
    return [
        f"pair {'-'.join(pair)}; pairs left out: {sampled.exclusions}",
        f"the density is that of all beads together ({parts} {sampled.units.density})",
        *odd,
    ]
