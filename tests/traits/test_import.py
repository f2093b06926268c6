"""What `import dam_traits` gives, and what it leaves for later."""

import subprocess
import sys
from pathlib import Path

import dam_traits
import pytest

ROOT = Path(__file__).parents[2]


def test_all_names_are_there():
    """Each name that the package promises leads to something, and no other does."""
    for name in dam_traits.__all__:
        assert getattr(dam_traits, name) is not None
    assert set(dam_traits.__all__) <= set(dir(dam_traits))
    with pytest.raises(AttributeError, match="no attribute 'Wrold'"):
        _ = dam_traits.Wrold


@pytest.mark.parametrize("first", ["World", "ResourcePools", "Trait"])
def test_the_decorator_is_no_module(first):
    """Whatever is imported before, `system` is the decorator and not the module of that name."""
    program = f"from dam_traits import {first}; import dam_traits.system; from dam_traits import system; print(system)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.startswith("<function system at")


def test_the_package_alone_loads_little():
    """A program in which it is merely installed does not get a world, pools or an event loop."""
    program = "import sys; before = set(sys.modules); import dam_traits; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": "plugins/traits"},
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert [name for name in loaded if name.startswith("dam_traits")] == [
        "dam_traits",
        "dam_traits.errors",
        "dam_traits.system",
    ]
    assert "asyncio" not in loaded
