"""``python -m dam_hrm``: talk to a session."""

from __future__ import annotations

import sys

from dam_hrm.agent.main import main

if __name__ == "__main__":
    sys.exit(main())
