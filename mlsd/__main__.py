"""`python -m mlsd` is `mlsd`."""

import sys

from mlsd.cli import main

sys.exit(main())
