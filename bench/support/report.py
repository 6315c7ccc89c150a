"""Tables and plots of what bench/run and bench/curves found."""

import os
import platform
import statistics
import time

COLORS = ("#1f6feb", "#d29922", "#2da44e", "#cf222e", "#8250df", "#bf3989",
          "#1b7c83", "#9a6700", "#57606a", "#0a3069")
FONT = 'font-family="sans-serif" font-size="12"'


def middle(found, field):
    return statistics.median(x[field] for x in found)


def machine(pinned):
    """Says on what machine and when it was measured."""
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs ({model}), "
            f"Linux {platform.release().split('-')[0]}, "
            + ("server and client pinned to a CPU each" if pinned
               else "not pinned"))


# -- tables --------------------------------------------------------------------


def table(heads, rows):
    out = ["| " + " | ".join(heads) + " |", "| " + "--- | " * len(heads)]
    out += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(x.rstrip() for x in out) + "\n"


def spread(found, field, form=".2f"):
    """Returns the median with the least and the most."""
    values = [x[field] for x in found]
    if len(values) == 1:
        return format(values[0], form)
    return (f"{statistics.median(values):{form}} "
            f"({min(values):{form}}–{max(values):{form}})")


COLUMNS = (
    ("CPU us/delivery", "cpu", ".2f"), ("p50 ms", "p50_ms", ".2f"),
    ("p99 ms", "p99_ms", ".2f"), ("p99.9 ms", "p999_ms", ".2f"),
    ("KiB/session", "rss_kib_per_connection", ".2f"),
    ("CPU us/connect", "server_cpu_us_per_connect", ".0f"),
    ("server busy", "server_cpu_share", ".2f"),
    ("client busy", "client_cpu_share", ".2f"),
    ("other CPUs", "other_cpus", ".2f"))


def everything(every):
    """A table of all servers of all cases."""
    rows = []
    for case, results in every:
        for name, found in results.items():
            if found:
                rows.append([case.name, name,
                             f"{spread(found, case.field)} {case.unit}"]
                            + [format(middle(found, field), form)
                               for _, field, form in COLUMNS])
    return table(["case", "server", "median (least–most)"]
                 + [x[0] for x in COLUMNS], rows)


# -- plots ---------------------------------------------------------------------


def svg(width, height, title, parts):
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
         f'height="{height}" {FONT}>',
         f'<rect width="{width}" height="{height}" fill="#fff"/>',
         f'<text x="10" y="18">{title}</text>'] + parts + ["</svg>"]) + "\n"


def lines(title, series):
    """A plot of {name: [(x, y)]}."""
    width, right, top, low, left = 720, 490, 40, 320, 50
    most = max(y for points in series.values() for _, y in points) * 1.1 or 1
    every = sorted({x for points in series.values() for x, _ in points})
    parts = []

    def place(x, y):
        return (left + (right - left) * x / every[-1],
                low - (low - top) * y / most)

    for step in range(5):
        y = most * step / 4
        _, at = place(every[0], y)
        parts.append(f'<path d="M{left} {at:.0f}H{right}" stroke="#ddd"/>'
                     f'<text x="8" y="{at + 4:.0f}">{y:.1f}</text>')
    for x in every:
        at, _ = place(x, 0)
        parts.append(f'<text x="{at:.0f}" y="{low + 18}" '
                     f'text-anchor="middle">{x:,}</text>')
    for i, (name, points) in enumerate(series.items()):
        places = [place(*p) for p in sorted(points)]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
        color = COLORS[i % len(COLORS)]
        parts.append(f'<polyline points="{path}" fill="none" '
                     f'stroke="{color}" stroke-width="2"/>'
                     + "".join(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" '
                               f'fill="{color}"/>' for x, y in places)
                     + f'<text x="{right + 8}" y="{top + 10 + 18 * i}" '
                     f'fill="{color}">{name}</text>')
    return svg(width, 360, title, parts)


def bars(title, groups, kinds=("",)):
    """A plot of {name: [value for each kind]} as lying bars."""
    left, width, thick = 220, 720, 14
    most = max(y for values in groups.values() for y in values) or 1
    parts = []
    at = 34
    for i, kind in enumerate(kinds):
        if kind:
            parts.append(f'<rect x="{left + 90 * i}" y="{at - 8}" width="10" '
                         f'height="10" fill="{COLORS[i]}"/><text '
                         f'x="{left + 14 + 90 * i}" y="{at + 1}">{kind}</text>')
    at += 12
    for name, values in groups.items():
        parts.append(f'<text x="{left - 8}" '
                     f'y="{at + thick * len(values) / 2 + 4:.0f}" '
                     f'text-anchor="end">{name}</text>')
        for i, value in enumerate(values):
            size = (width - left - 70) * value / most
            y = at + thick * i
            parts.append(f'<rect x="{left}" y="{y}" width="{size:.1f}" '
                         f'height="{thick - 2}" fill="{COLORS[i]}"/>'
                         f'<text x="{left + size + 5:.0f}" y="{y + 10}">'
                         f"{value:.2f}</text>")
        at += thick * len(values) + 8
    return svg(width, at + 8, title, parts)


def panels(title, every):
    """Small plots of (what grows, [(its value, y)]), three in a row."""
    width, height = 250, 190
    parts = []
    for i, (thing, points) in enumerate(every):
        left, top = 40 + i % 3 * width, 50 + i // 3 * height
        low, right = top + 110, left + width - 60
        most = max(y for _, y in points) * 1.25 or 1
        step = (right - left - 20) / max(1, len(points) - 1)
        places = [(left + 10 + step * j, low - (low - top) * y / most, label, y)
                  for j, (label, y) in enumerate(points)]
        parts.append(f'<text x="{left}" y="{top - 8}" font-weight="bold">'
                     f"{thing}</text>"
                     f'<path d="M{left} {top}V{low}H{right}" fill="none" '
                     'stroke="#999"/>')
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y, _, _ in places)
        parts.append(f'<polyline points="{path}" fill="none" '
                     f'stroke="{COLORS[0]}" stroke-width="2"/>')
        parts += [f'<text x="{x:.0f}" y="{low + 14}" font-size="10" '
                  f'text-anchor="middle">{label}</text>'
                  f'<text x="{x:.0f}" y="{y - 5:.0f}" font-size="10" '
                  f'text-anchor="middle">{value:.2f}</text>'
                  for x, y, label, value in places]
    rows = (len(every) + 2) // 3
    return svg(3 * width + 20, 40 + rows * height, title, parts)
