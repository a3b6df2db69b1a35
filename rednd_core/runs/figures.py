"""The figures of a run as one HTML page that opens without a network: curves as plain SVG, no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from rednd_core import wording
from rednd_core.runs.record import RunRecord
from rednd_core.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 62, 408, 12, 206
LINES = ("#6D3FD9", "#B8500B", "#0B7A75", "#B3246B", "#5A6B00", "#2C6FBB")
"""Of the lines, each at least 4.5:1 on white."""
STYLE = """
body { margin: 0 auto; padding: 12px 16px; max-width: 1320px; background: #FFFFFF; color: #1D1A26;
  font: 16px/1.45 "Source Sans", "Open Sans", verdana, arial, sans-serif; }
main { display: flex; flex-wrap: wrap; gap: 8px 20px; } figure { margin: 0; flex: 0 1 420px; }
svg { width: 100%; height: auto; } figcaption { font-weight: 600; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 2px 14px 2px 0; }
td { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #F2F0F6; padding: 8px; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Line:
    """One curve: its name, and a value an epoch (NaN where there is none)."""

    name: str
    values: Sequence[float]


def figures_page(run: Run, record: RunRecord, command: str) -> str:
    """The page: what was trained and how, metrics of the best epoch, and curves over the epochs.

    Args:
        record: of the run, without what tells of the machine's folders.
        command: that trains it; empty for a run that was not trained here.

    Raises:
        RunError: a file of the run that cannot be read.
    """
    frame = run.metrics()
    best = run.status.best_epoch
    epochs = [] if frame.empty else [int(epoch) for epoch in frame["epoch"]]
    curves = "".join(
        _curve(title, epochs, lines, best) for title, lines in _panels(frame, record) if epochs
    )
    body = f"{_facts(record)}{_metrics(run)}"
    body += f"<h2>The command</h2><pre>{escape(command)}</pre>" if command else ""
    body += f"<h2>Over the epochs</h2><main>{curves}</main>" if curves else ""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(run.name)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(run.name)}</h1>{body}</body></html>"
    )


def _facts(record: RunRecord) -> str:
    told, data = record.provenance, record.data
    versions = ", ".join(f"{name} {version}" for name, version in told.versions.items())
    rows = {"model": record.config.model, "seed": str(told.seed), "versions": versions}
    if data is not None:
        rows["data"] = f"{data.name}: {data.sizes}; digest {data.digest}"
    if told.commit is not None:
        rows["commit"] = told.commit
    if (machine := told.machine) is not None:
        rows["machine"] = (
            f"{machine.system}, {machine.processor}; device {machine.device}, engine {machine.engine}, "
            f"threads {machine.threads}"
        )
    cells = "".join(
        f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows.items()
    )
    return f"<table>{cells}</table>"


def _metrics(run: Run) -> str:
    found = run.evaluation()
    if found is None:
        return ""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{wording.metric(value)}</td>"
        f"<td>{wording.metric(found.test.get(name))}</td></tr>"
        for name, value in found.valid.items()
    )
    return (
        f"<h2>Metrics of epoch {found.epoch}</h2>"
        f"<table><tr><th></th><th>validation</th><th>test</th></tr>{rows}</table>"
    )


def _panels(frame: pd.DataFrame, record: RunRecord) -> Iterator[tuple[str, list[Line]]]:
    """Title and curves of each panel: the losses, the metric that chose the epoch, MAD by layer."""
    for column in map(str, frame):
        if column.startswith("losses."):
            name = column.removeprefix("losses.")
            yield f"Loss {name}", [Line("", frame[column].tolist())]
    chosen = f"valid.{record.config.training.select_by}"
    if chosen in frame:
        yield f"Validation {record.config.training.select_by}", [Line("", frame[chosen].tolist())]
    if record.model is None:
        return
    for modality, widths in record.model.widths.items():
        for side in ("users", "items"):
            names = {
                f"layer {k}": f"smoothness.layer.{modality}.{k}.{side}.mad"
                for k in range(len(widths))
            }
            lines = [
                Line(name, frame[column].tolist())
                for name, column in names.items()
                if column in frame
            ]
            if lines:
                yield f"MAD of {side}, {modality}", lines


def _curve(title: str, epochs: Sequence[int], lines: Sequence[Line], best: int | None) -> str:
    """A panel as an SVG figure; the best epoch is a dashed line."""
    values = [value for line in lines for value in line.values if value == value]
    if not values:
        return ""
    low, high = min(values), max(values)
    span, length = (high - low) or 1.0, max(epochs[-1] - epochs[0], 1)

    def x(epoch: float) -> float:
        return LEFT + (RIGHT - LEFT) * (epoch - epochs[0]) / length

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / span

    drawn, legend = [], []
    for number, line in enumerate(lines):
        color = LINES[number % len(LINES)]
        pairs = zip(epochs, line.values, strict=True)
        points = " ".join(f"{x(e):.1f},{y(v):.1f}" for e, v in pairs if v == v)
        drawn.append(f"<polyline points='{points}' fill='none' stroke='{color}' stroke-width='2'/>")
        if line.name:
            legend.append(f"<span style='color:{color}'>— {escape(line.name)}</span> ")
    if best is not None:
        drawn.append(
            f"<line x1='{x(best):.1f}' x2='{x(best):.1f}' y1='{TOP}' y2='{BOTTOM}' stroke='#1D1A26' "
            f"stroke-dasharray='4 4'/>"
        )
        legend.append(f"dashed: best epoch, {best}")
    axes = (
        f"<path d='M{LEFT} {TOP}V{BOTTOM}H{RIGHT}' fill='none' stroke='#6B6678'/>"
        f"{_text(LEFT - 6, TOP + 5, wording.measure(high), 'end')}"
        f"{_text(LEFT - 6, BOTTOM, wording.measure(low), 'end')}"
        f"{_text(LEFT, BOTTOM + 20, f'epoch {epochs[0]}', 'start')}"
        f"{_text(RIGHT, BOTTOM + 20, str(epochs[-1]), 'end')}"
    )
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{escape(title)} over the epochs'>"
        f"{axes}{''.join(drawn)}</svg><div>{''.join(legend)}</div></figure>"
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f"<text x='{x}' y='{y}' font-size='14' text-anchor='{anchor}'>{escape(text)}</text>"
