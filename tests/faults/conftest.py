"""How hard the program is tried: a little in every run of the tests, at length with ``make faults``."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from watching import AT_LENGTH, TALLY

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
# In the tests of every day the same inputs each time, without a search for the smallest that fails.
settings.register_profile(
    "short",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=SLOW,
    phases=(Phase.explicit, Phase.generate),
)
settings.register_profile("long", deadline=None, suppress_health_check=SLOW, print_blob=True)
settings.load_profile("long" if AT_LENGTH else "short")


@pytest.fixture(scope="session", autouse=True)
def limited_memory():
    """Let an allocation that no input deserves fail here, and not the machine."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = 16 * 2**30
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def pytest_terminal_summary(terminalreporter):
    """Print what was tried: the counts of the documentation."""
    if AT_LENGTH and TALLY:
        terminalreporter.section("what was tried")
        for name in sorted(TALLY):
            terminalreporter.write_line(f"{TALLY[name]:>7}  {name}")
