"""Figures of results."""

from __future__ import annotations

from cginit.report.figures import check_figure, error_figure, refinement_figure

__all__ = ["check_figure", "error_figure", "refinement_figure"]
