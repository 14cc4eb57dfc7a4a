"""`python -m conformance HUB_URL`."""

import sys

from conformance.cli import main

sys.exit(main())
