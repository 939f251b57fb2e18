"""`python -m sac_control` is the `sac_control` command."""

import sys

from sac_control.cli.main import main

sys.exit(main())
