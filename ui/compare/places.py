"""Where everything stands on the page on which two runs are compared: plain geometry, the same for the window and for exports."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QRectF

HEAD = 40.0
NET, BARS, HEAT, FOOT = 196.0, 172.0, 112.0, 236.0  # at least
WIDE = 1240.0  # from this width on what is below the nets stands in one row
NARROW = 780.0  # below this width the losses and the table have a row each
MOST_NET = 460.0


@dataclass(frozen=True)
class Places:
    """The rectangles of one drawing by name, and the height that all of it takes."""

    width: float
    height: float
    middle: float  # of the line between the sides
    foot: float  # top of what is below both
    of: dict[str, QRectF] = field(hash=False)


def places(width: float, room: float, table: float) -> Places:
    """Everything in this width, as high as the ``room`` allows and at least as high as it needs; ``table`` is what the table needs."""
    wide, narrow = width >= WIDE, width < NARROW
    row, below = max(FOOT, table), 0.0 if wide else 2 * FOOT if narrow else FOOT
    foot = row + below
    room -= 2.0  # the line between, and what rounding adds
    spare = max(0.0, room - (HEAD + NET + BARS + HEAT + foot))
    net = min(MOST_NET, NET + 0.5 * spare)
    spare -= net - NET
    bars, heat = BARS + 0.3 * spare, HEAT + 0.2 * spare
    row += max(0.0, room - (HEAD + net + bars + heat + foot))
    half = round(width / 2)
    found: dict[str, QRectF] = {}
    for side, left, across in (("A", 0.0, half), ("B", half + 1.0, width - half - 1)):
        top = 0.0
        for name, height in (("head", HEAD), ("net", net), ("bars", bars), ("heat", heat)):
            found[f"{name} {side}"] = QRectF(left, round(top), across, round(top + height) - round(top))
            top += height
    foot_top = round(HEAD + net + bars + heat) + 1.0
    if wide:
        shares = (("losses", 0.32), ("prediction A", 0.17), ("prediction B", 0.17), ("effects", 0.34))
        left = 0.0
        for name, share in shares:
            found[name] = QRectF(round(left), foot_top, round(left + share * width) - round(left), round(row))
            left += share * width
        height = foot_top + round(row)
    else:
        losses = QRectF(0, foot_top, width, FOOT) if narrow else QRectF(0, foot_top, half, round(row))
        top = losses.bottom() if narrow else foot_top
        found["losses"] = losses
        found["effects"] = QRectF(0 if narrow else half, top, width if narrow else width - half, round(row))
        top += round(row)
        found["prediction A"] = QRectF(0, top, half, FOOT)
        found["prediction B"] = QRectF(half, top, width - half, FOOT)
        height = top + FOOT
    return Places(width, height, half, foot_top, found)
