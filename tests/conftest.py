"""What every test runs under."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadline: several suites share two cores. In CI the examples are the same on every run.
settings.register_profile(
    "runline",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("runline")
