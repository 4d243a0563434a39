"""How a run is looked at: the part of a session file that is no part of the run itself.

Everything is bounded and has a default, so that hostile files are refused and files of older versions still open.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gradviz.snapshot import Held

Count = Annotated[int, Meta(ge=0, le=100_000)]
Number = Annotated[float, Meta(ge=-1e150, le=1e150)]
Name = Annotated[str, Meta(max_length=80)]


class Picked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is selected in the network: a layer, a unit, or an edge as shown."""

    kind: Literal["layer", "unit", "edge"]
    layer: Count
    unit: Count = 0
    source: Count = 0


class LabView(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the user has set on the lab's own controls."""

    part: Literal["net", "sharpness", "linear"] = "net"  # of the activation lab
    sharpness: Annotated[float, Meta(ge=1.0, le=1000.0)] | None = None
    function: Name = ""  # that is tried for being linear; empty for the one of the net
    numbers: tuple[Number, Number, Number] | None = None
    pair: tuple[Name, Name] | None = None  # parameters whose plane is drawn; None for the two largest
    rival: bool = False  # whether the same net without its skips is trained beside the run
    lag: Annotated[int, Meta(ge=1, le=200)] = 8
    read: Annotated[int, Meta(ge=0, le=1_000_000)] = 0  # symbols by the history compressor
    loss: Annotated[float, Meta(ge=1e-9, le=1e9)] | None = None  # whose time is asked for
    precision: Literal["float16", "float32"] = "float16"
    exponent: Annotated[int, Meta(ge=0, le=100)] = 0  # of the loss scale
    orthogonal: bool = False  # whether the Jacobian is that of the net with orthogonal first weights
    scroll: Count = 0  # pixels, of the view in front


class NetView(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where one of two nets is looked at."""

    selection: Picked | None = None
    zoom: Annotated[float, Meta(ge=1.0, le=1000.0)] = 1.0
    scroll: Annotated[float, Meta(ge=0.0, le=10_000.0)] = 0.0  # in columns


class CompareView(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How two runs are looked at."""

    side: Literal["A", "B"] = "B"  # whose settings are shown
    settings: bool = False  # whether they are
    nets: tuple[NetView, NetView] = (NetView(), NetView())
    scroll: Count = 0  # pixels, of the page
    body: Annotated[tuple[Count, ...], Meta(max_length=3)] = ()


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the run is looked at. The theme is not part of it: it belongs to the room, not to the run."""

    page: Literal["overview", "chain", "inspect", "lab"] = "overview"
    lab: Literal[
        "", "activation", "clipping", "residual", "linear", "initialisation", "compressor", "hardware", "jacobian", "population"
    ] = ""
    lab_layer: Count = 0  # whose pre-activations the lab shows; 0 for its own choice
    lab_view: LabView = LabView()
    held: Held = Held()
    all_paths: bool = False  # the chain rule's ladder tells of all paths, not of the strongest one
    left_page: Literal["settings", "lesson", "notes"] = "settings"
    lesson: Name = ""  # the lesson in front; empty for the list
    left: bool = True  # whether the docks are shown
    right: bool = True
    selection: Picked | None = None
    example: Annotated[int, Meta(ge=0, le=20_000)] | None = None  # position in the mini-batch
    zoom: Annotated[float, Meta(ge=1.0, le=1000.0)] = 1.0
    scroll: Annotated[float, Meta(ge=0.0, le=10_000.0)] = 0.0  # in columns
    speed: Annotated[float, Meta(gt=0.0, le=1e9)] | None = None  # steps per second; None for as fast as possible
    playing: bool = False
    body: Annotated[tuple[Count, ...], Meta(max_length=3)] = ()  # how wide or high the parts of the window are; empty: as they are
    centre: Annotated[tuple[Count, ...], Meta(max_length=3)] = ()
    overview: Annotated[tuple[Count, ...], Meta(max_length=2)] = ()
    compare: CompareView | None = None  # of two runs; the rest is then how the window looks when one of them is left
