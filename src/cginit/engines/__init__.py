"""Simulation engines: LAMMPS, HOOMD-blue, and an analytic one for dilute systems."""

from __future__ import annotations

from cginit.engines.base import Engine, EngineRun, Schedule

__all__ = ["Engine", "EngineRun", "Schedule"]
