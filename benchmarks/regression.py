"""
Which robust regression is good for laws of cost? `dam_obs.diagnose.families` uses scipy's, with the loss ``soft_l1``.

    uv pip install scikit-learn statsmodels    # into an environment of your own
    python benchmarks/regression.py [--seeds 20]

Each contender finds the numbers of ``intercept + slope * size`` from executions that are made up:
with noise that multiplies, 5 % outliers (ten times as long, or a tenth of it, or on the largest sizes
alone), and waiting in lumps. The error is that of the law against the true one, over sizes never
seen; then the CPU time of a fit, and what an import takes in a new interpreter. One that is
not installed is left out.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from dam_obs.diagnose.families import CLOSE, robust_fit

Floats = NDArray[np.float64]
Fit = Callable[[Floats, Floats], Floats]
INTERCEPT, SLOPE = 2e6, 3e3
ROWS = 240
CASES = ("noise 10 %", "noise 30 %", "outliers above", "outliers below", "outliers at large sizes", "lumps")


def executions(case: str, seed: int) -> tuple[Floats, Floats]:
    """Return sizes and costs."""
    chance = np.random.default_rng([CASES.index(case), seed])
    size = np.exp(chance.uniform(np.log(60), np.log(2_400), ROWS))
    noise = 0.3 if case == "noise 30 %" else 0.1
    cost = (INTERCEPT + SLOPE * size) * np.exp(chance.normal(0, noise, ROWS))
    some = chance.choice(ROWS, ROWS // 20, replace=False)
    if case == "outliers above":
        cost[some] *= 10
    if case == "outliers below":
        cost[some] /= 10
    if case == "outliers at large sizes":
        cost[np.argsort(size)[-ROWS // 20 :]] *= 10
    if case == "lumps":
        cost += 5e6 * (chance.random(ROWS) < 0.3)
    return size, cost


def scipy_loss(loss: str) -> Fit:
    """Make a fit of logarithms by `scipy.optimize.least_squares`, with another loss than dam-obs's."""
    from scipy.optimize import least_squares

    def fit(design: Floats, cost: Floats) -> Floats:
        scale = np.abs(design).max(axis=0)
        scaled, floor = design / scale, float(np.quantile(cost, 0.01)) / 10
        begun = np.linalg.lstsq(scaled / cost[:, None], np.ones(len(cost)), rcond=None)[0]

        def predicted(found: Floats) -> Floats:
            fitted: Floats = np.maximum(scaled @ found, floor)
            return fitted

        found = least_squares(
            lambda found: np.log(predicted(found) / cost),
            begun,
            jac=lambda found: scaled / predicted(found)[:, None],
            loss=loss,
            f_scale=CLOSE,
        )
        return np.asarray(found.x / scale)

    return fit


def own_weights(design: Floats, cost: Floats) -> Floats:
    """Fit logarithms by Gauss-Newton steps, weighted so that absolute residuals count: what dam-obs did before."""
    scale = np.abs(design).max(axis=0)
    scaled, floor = design / scale, float(np.quantile(cost, 0.01)) / 10
    found = np.linalg.lstsq(scaled / cost[:, None], np.ones(len(cost)), rcond=None)[0]
    for _ in range(25):
        fitted = np.maximum(scaled @ found, floor)
        residual = np.log(cost / fitted)
        size = np.abs(residual)
        weights = np.sqrt(1 / np.maximum(size, max(0.1 * float(np.median(size)), 1e-9))) / fitted
        target = fitted * (1 + np.clip(residual, -1, 1))
        better = np.linalg.lstsq(scaled * weights[:, None], target * weights, rcond=None)[0]
        moved, found = float(np.abs(better - found).max()), better
        if moved <= 1e-4 * float(np.abs(found).max()):
            break
    return np.asarray(found / scale)


def relative(fit: Fit) -> Fit:
    """Fit what is linear to costs of one size each: twice, since sizes are those of the law itself."""

    def fitted(design: Floats, cost: Floats) -> Floats:
        weight = cost
        for _ in range(3):
            found = fit(design / weight[:, None], cost / weight)
            weight = np.maximum(design @ found, float(np.quantile(cost, 0.01)) / 10)
        return found

    return fitted


def statsmodels_quantile() -> Fit:
    """Make a median regression."""
    from statsmodels.regression.quantile_regression import QuantReg

    return relative(lambda design, cost: np.asarray(QuantReg(cost, design).fit(q=0.5).params))


def statsmodels_robust() -> Fit:
    """Make an M-estimate with Huber's weights."""
    from statsmodels.api import RLM

    return relative(lambda design, cost: np.asarray(RLM(cost, design).fit().params))


def sklearn_quantile() -> Fit:
    """Make a median regression by linear programming."""
    from sklearn.linear_model import QuantileRegressor

    def fit(design: Floats, cost: Floats) -> Floats:
        scale = np.abs(design).max(axis=0)
        model = QuantileRegressor(quantile=0.5, alpha=0, fit_intercept=False, solver="highs")
        return np.asarray(model.fit(design / scale, cost).coef_ / scale)

    return relative(fit)


CONTENDERS: dict[str, tuple[str, Callable[[], Fit]]] = {
    "dam-obs: scipy, soft_l1": ("scipy.optimize", lambda: robust_fit),
    "weights of our own": ("numpy", lambda: own_weights),
    "scipy, cauchy": ("scipy.optimize", lambda: scipy_loss("cauchy")),
    "scipy, huber": ("scipy.optimize", lambda: scipy_loss("huber")),
    "statsmodels QuantReg": ("statsmodels.regression.quantile_regression", statsmodels_quantile),
    "statsmodels RLM": ("statsmodels.api", statsmodels_robust),
    "scikit-learn QuantileRegressor": ("sklearn.linear_model", sklearn_quantile),
}


def error(fit: Fit, case: str, seed: int) -> tuple[float, float]:
    """Return the median error of a law over all sizes, and the CPU seconds that finding it took."""
    size, cost = executions(case, seed)
    design = np.column_stack([np.ones(ROWS), size])
    begun = time.process_time()
    intercept, slope = fit(design, cost)
    took = time.process_time() - begun
    fresh = np.exp(np.linspace(np.log(60), np.log(2_400), 200))
    true = INTERCEPT + SLOPE * fresh
    return float(np.median(np.abs((intercept + slope * fresh) / true - 1))), took


def import_seconds(module: str) -> float:
    """Return the CPU seconds of an import in a new interpreter, beyond numpy's."""
    code = f"import time, numpy; a = time.process_time(); import {module}; print(time.process_time() - a)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare robust regressions on laws that are known.")
    parser.add_argument("--seeds", type=int, default=20, help="executions made up anew so often (default: 20)")
    options = parser.parse_args()
    print(f"{'':32s}{'':>10s}{'':>10s}  mean error of the law, %\n{'':32s}{'ms a fit':>10s}{'import s':>10s}", end="")
    print("".join(f"{case:>25s}" for case in CASES))
    for name, (module, make) in CONTENDERS.items():
        if find_spec(module.partition(".")[0]) is None:
            print(f"{name:32s} not installed")
            continue
        fit = make()
        error(fit, CASES[0], 0)
        tried = {case: [error(fit, case, seed) for seed in range(options.seeds)] for case in CASES}
        took = statistics.median(seconds for each in tried.values() for _, seconds in each)
        errors = [statistics.fmean(off for off, _ in each) for each in tried.values()]
        print(f"{name:32s}{1e3 * took:10.2f}{import_seconds(module):10.2f}", end="")
        print("".join(f"{100 * off:25.2f}" for off in errors))


if __name__ == "__main__":
    main()
