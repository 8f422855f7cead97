"""The benchmark's tables, in markdown."""

import json
from pathlib import Path

import numpy as np
from scipy.stats import gmean

from deltann import metrics

RESAMPLES = 2000


def each(seconds: dict[str, list], files: dict[str, str], reference: str) -> str:
    """A model's contestants: time, ratio to the reference, and what compiling took.

    Args:
        seconds: by contestant, those of each run, in a list per round.
        files: by contestant, its model file.
        reference: the contestant whose time is 1.
    """
    lines = [
        "| | ms | ratio | 95 % interval | kernels | compile, s | peak memory, MB |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for name, runs in seconds.items():
        cells = [
            name,
            f"{1000 * _median(runs):.2f}",
            _ratio(seconds[reference], runs),
            _interval(seconds[reference], runs),
            *_compilation(files[name]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def reach(results: dict[str, dict], compiled: str, peers: list[str]) -> str:
    """Each model's compiled time against its fastest peer's, and the geometric mean of all.

    Args:
        results: by model, what `each` takes as `seconds`.
        compiled: the contestant to judge.
        peers: the contestants to compare it with; some may have failed.
    """
    lines = [
        f"| model | {compiled}, ms | fastest peer | ratio | 95 % interval | {' | '.join(peers)} |",
        f"| --- | ---: | --- | ---: | --- |{' ---: |' * len(peers)}",
    ]
    pairs = []
    for model, seconds in results.items():
        known = [peer for peer in peers if peer in seconds]
        fastest = min(known, key=lambda peer: _median(seconds[peer]))
        pairs.append((seconds[fastest], seconds[compiled]))
        others = [_ratio(seconds[fastest], seconds[p]) if p in known else "failed" for p in peers]
        cells = [model, f"{1000 * _median(seconds[compiled]):.2f}", fastest, _ratio(*pairs[-1])]
        lines.append(f"| {' | '.join([*cells, _interval(*pairs[-1]), *others])} |")
    mean, low, high = geometric_mean(pairs)
    lines.append(f"\nGeometric mean of {len(pairs)} ratios: {mean:.2f} ({low:.2f} to {high:.2f}).")
    return "\n".join(lines)


def geometric_mean(pairs: list[tuple]) -> tuple[float, float, float]:
    """The geometric mean of ratios, and the ends of its 95 % bootstrap interval over rounds.

    Args:
        pairs: seconds of the baseline and of the candidate, in a list per round.
    """
    draw = np.random.default_rng(0)
    medians = [
        np.array([[np.median(turn) for turn in runs] for runs in pair]) for pair in pairs
    ]  # (2, rounds)
    value = gmean([after.sum() / before.sum() for before, after in medians])
    samples = []
    for _ in range(RESAMPLES):
        totals = [m[:, draw.integers(m.shape[1], size=m.shape[1])].sum(axis=1) for m in medians]
        samples.append(gmean([after / before for before, after in totals]))
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(value), float(low), float(high)


def _median(runs: list[list[float]]) -> float:
    return float(np.median(np.concatenate(runs)))


def _ratio(baseline: list, candidate: list) -> str:
    return f"{metrics.latency_ratio(baseline, candidate):.2f}"


def _interval(baseline: list, candidate: list) -> str:
    interval = metrics.latency_ratio_interval(baseline, candidate, 0)
    return f"{interval.low:.2f} to {interval.high:.2f}"


def _compilation(path: str) -> list[str]:
    """Kernels, seconds and memory of a compilation; empty for a runtime."""
    if not path.endswith(".so"):
        return [""] * 3
    record = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    return [
        str(record["details"]["kernels"]),
        f"{record['seconds']:.0f}",
        f"{record['peak_memory_bytes'] / 1e6:.0f}",
    ]
