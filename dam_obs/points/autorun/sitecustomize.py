"""
Brings dam-obs into a Python process: ``dam-obs run`` puts this folder first on PYTHONPATH.

Python imports a module of this name at every start, before the program. It switches
observation on and then runs the ``sitecustomize`` that would have been found without this
one. Whatever goes wrong here is one line on standard error, and the program runs.
"""

import os
import sys


def _start() -> None:
    if os.environ.get("DAM_OBS_ENABLED", "").strip().lower() not in ("1", "true", "yes", "on"):
        return
    try:
        from dam_obs.config import load_settings
        from dam_obs.points.activate import activate
        from dam_obs.trace.handshake import wait_for_sampler

        activate(load_settings(lenient=True).settings)
        wait_for_sampler(os.environ)
    except Exception as error:  # noqa: BLE001 - the border to a program that knows nothing of us
        _say(error)


def _say(error: Exception) -> None:
    if not isinstance(error, ModuleNotFoundError) or error.name != "dam_obs":
        print(f"dam-obs: {type(error).__name__}: {error}; this program is not observed", file=sys.stderr)
    elif os.environ.get("_DAM_OBS_VERBOSE"):
        # Another environment's Python, where it is not installed.
        print(f"dam-obs: not installed for {sys.executable}, so it is not observed", file=sys.stderr)


def _run_the_users_own() -> None:
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_start()
_run_the_users_own()
