"""`python -m mlsd` is `mlsd`."""

import sys

from mlsd.cli import main

if __name__ == "__main__":
    sys.exit(main())
