"""`python -m medianest` is `medianest`."""

import sys

from medianest.cli import main

sys.exit(main())
