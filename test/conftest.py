"""What holds for all tests: a slow machine makes none of them fail. Timeouts are for tests that hang."""

import os

# Before numpy and torch are loaded. Products as small as ours are slower on several threads, and very much slower where
# the threads of one test wait for each other on cores that somebody else is using.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")
