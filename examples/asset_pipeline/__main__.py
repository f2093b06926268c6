"""
Run the pipeline.

Either ``python examples/asset_pipeline`` or, with ``examples/`` on the path, ``python -m asset_pipeline``.
"""

import sys
from pathlib import Path

if not __package__:
    # Run as a folder: Python has put this folder on the path, but the package is found from the one above.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from asset_pipeline.app import main

if __name__ == "__main__":
    sys.exit(main())
