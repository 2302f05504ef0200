"""Figures of results."""

from __future__ import annotations

from cginit.report.figures import error_figure, refinement_figure

__all__ = ["error_figure", "refinement_figure"]
