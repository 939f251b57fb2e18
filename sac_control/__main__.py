"""`python -m sac_control` is the `sac_control` command."""

import sys

from sac_control.start import command

sys.exit(command())
