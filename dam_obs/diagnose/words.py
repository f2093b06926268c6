"""A cost law as an expression that a person reads, in milliseconds: ``3.1 + 0.0021 * size``."""

from __future__ import annotations

from dam_obs.diagnose.families import Fitted

_NS_PER_MS = 1_000_000
CATEGORIES_SHOWN = 4


def expression(law: Fitted) -> str:
    """Write out `law`."""
    numbers = law.coefficients
    match law.family:
        case "constant":
            return _ms(numbers["intercept"])
        case "linear":
            return _ms(numbers["intercept"]) + "".join(
                _plus(numbers[slope], name) for name, slope in zip(law.features, ("slope", "slope_2"), strict=False)
            )
        case "nlogn":
            name = law.features[0]
            return _ms(numbers["intercept"]) + _plus(numbers["slope"], f"{name} * log2(1 + {name})")
        case "quadratic":
            return _ms(numbers["intercept"]) + _plus(numbers["slope"], f"{law.features[0]} ** 2")
        case "power":
            return _ms(numbers["scale"]) + "".join(
                f" * {name} ** {numbers[exponent]:.3g}"
                for name, exponent in zip(law.features, ("exponent", "exponent_2"), strict=False)
            )
        case "category":
            return _by_category(law)
        case "category_linear":
            return _by_category(law) + _plus(numbers["slope"], law.features[1])
        case "category_slopes":
            return _slopes_by_category(law)


def _by_category(law: Fitted) -> str:
    ordered = sorted(law.categories.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{category} {_ms(cost)}" for category, cost in ordered[:CATEGORIES_SHOWN]]
    if len(ordered) > CATEGORIES_SHOWN:
        shown.append(f"{len(ordered) - CATEGORIES_SHOWN} more")
    shown.append(f"else {_ms(law.coefficients['intercept'])}")
    return f"({', '.join(shown)} by {law.features[0]})"


def _slopes_by_category(law: Fitted) -> str:
    category, number = law.features
    ordered = sorted(law.slopes.items(), key=lambda item: (-item[1], item[0]))
    shown = [
        f"{value} {_ms(law.categories[value])}{_plus(slope, number)}" for value, slope in ordered[:CATEGORIES_SHOWN]
    ]
    if len(ordered) > CATEGORIES_SHOWN:
        shown.append(f"{len(ordered) - CATEGORIES_SHOWN} more")
    shown.append(f"else {_ms(law.coefficients['intercept'])}{_plus(law.coefficients['slope'], number)}")
    return f"({', '.join(shown)} by {category})"


def _plus(slope: float, factor: str) -> str:
    return f" {'-' if slope < 0 else '+'} {_ms(abs(slope))} * {factor}"


def _ms(nanoseconds: float) -> str:
    return f"{nanoseconds / _NS_PER_MS:.3g}"
