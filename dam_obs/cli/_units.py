"""Quantities with their units, short enough for a table in a terminal."""

from __future__ import annotations


def duration(ns: float) -> str:
    """Show a time with three figures: ``1.23 s``, ``45.6 ms``, ``789 µs``; from 1,000 s on in whole seconds."""
    for unit, size in (("µs", 1e3), ("ms", 1e6), ("s", 1e9)):
        if ns / size < 999.5:
            return f"{ns / size:.3g} {unit}"
    return f"{ns / 1e9:,.0f} s"


def counted(number: int, noun: str) -> str:
    """Show a number of things: ``1 event``, ``2,000 events``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(share: float) -> str:
    """Show a share of 1: whole per cents, from 10 down with one decimal; a little is never called nothing."""
    hundredths = share * 100
    if 0 < abs(hundredths) < 0.05:
        return "<0.1 %" if hundredths > 0 else ">-0.1 %"
    text = f"{hundredths:.1f}" if abs(hundredths) < 9.95 else f"{hundredths:,.0f}"
    return f"{text.removesuffix('.0')} %"
