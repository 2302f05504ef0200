"""Figures and pages of results."""

from __future__ import annotations

from cginit.report.figures import check_figure, error_figure
from cginit.report.page import can_make_pages, refinement_page
from cginit.report.refinement import refinement_figure

__all__ = ["can_make_pages", "check_figure", "error_figure", "refinement_figure", "refinement_page"]
