"""A program in which dam_hrm is merely installed pays next to nothing for it."""

import subprocess
import sys

import dam_hrm


def test_importing_the_package_imports_none_of_it():
    """Its trace points are found without the runtime being loaded."""
    shown = "import dam_hrm, sys; print([name for name in sys.modules if name.startswith(('dam_hrm.', 'pluggy'))])"
    printed = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True, timeout=60)

    assert printed.stdout == "[]\n"


def test_every_public_name_is_there():
    """Though each is imported only when it is asked for."""
    assert [name for name in dam_hrm.__all__ if getattr(dam_hrm, name, None) is None] == []
    assert set(dam_hrm.__all__) <= set(dir(dam_hrm))
