"""The command line: opens the window, or trains or draws without one. Qt is imported only by what needs it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gradviz.data import DataError
from gradviz.recording_format import RecordingError
from gradviz.session_file import SessionFileError
from gradviz.spec import SpecError

from .presets import preset_named, presets
from .sources import STEPS, against, spec_of

PANEL_VIEWS = ("network", "gradients", "timeline", "prediction", "chain")
PANEL_TABLES = ("layers",)  # which are more to be read than looked at
LAB_VIEWS = ("activation", "clipping", "residual", "linear", "initialisation", "compressor", "hardware", "jacobian", "population")
COMMANDS = ("train", "remedies", "render", "numbers")
EPILOG = "“gradviz FILE” opens the window with a session (.gradviz.json), a recording (.gradviz) or a table of numbers (.csv)."
COMPARE = "compare"  # of two runs
VIEWS = ("window", *PANEL_VIEWS, *LAB_VIEWS, "figure", COMPARE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    file, arguments = _file_to_open(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser().parse_args(arguments)
        if options.command == "train":
            from .train import train

            return train(spec_of(options), options.steps, options.json, options.record)
        if options.command == "remedies":
            from gradviz.effect import TRIAL_STEPS

            from .try_remedies import try_remedies

            spec = spec_of(options)
            return try_remedies(spec, options.steps if options.steps_given else TRIAL_STEPS, options.json)
        if options.command == "render":
            from .render import render

            return render(spec_of(options), options, against(options))
        if options.desktop is not None:
            from . import desktop

            return desktop.install() if options.desktop else desktop.remove()
        if options.command == "numbers":
            from .render import write_numbers

            return write_numbers(spec_of(options), options, against(options))
        return _open_window(options, file)
    except (SpecError, DataError, SessionFileError, RecordingError) as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 2


def _file_to_open(arguments: Sequence[str]) -> tuple[Path | None, list[str]]:
    """A file to begin with, as a double click on it gives it, and the other arguments."""
    left = list(arguments)
    for number, text in enumerate(arguments):
        if text in COMMANDS:
            break
        looks = bool(Path(text).suffix) or Path(text).exists()
        if looks and not text.startswith("-") and (number == 0 or arguments[number - 1] not in ("--preset", "--theme")):
            return Path(text), left[:number] + left[number + 1 :]
    return None, left


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gradviz", description="See why a deep network does not learn.", epilog=EPILOG)
    names = ", ".join(preset.name for preset in presets())
    parser.add_argument("--preset", metavar="NAME", help=f"begin with a preset: {names}")
    parser.add_argument("--theme", choices=("light", "dark"), help="light suits projectors")
    menu = parser.add_mutually_exclusive_group()
    menu.add_argument("--install-desktop", dest="desktop", action="store_true", default=None, help="enter GradViz in the desktop's menu")
    menu.add_argument("--remove-desktop", dest="desktop", action="store_false", default=None, help="take it out again")
    commands = parser.add_subparsers(dest="command", metavar="{train,remedies,render,numbers}")

    train = commands.add_parser("train", help="train without a window")
    _add_run(train, names)
    train.add_argument("--record", type=Path, metavar="FILE", help="keep every step in a new file, which ends in .gradviz")
    train.add_argument("--json", action="store_true", help="end with one JSON object of results")

    remedies = commands.add_parser("remedies", help="train without a window, and again with each change that the verdicts propose")
    _add_run(remedies, names, "500")
    remedies.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    render = commands.add_parser("render", help="draw a picture, or one that moves, without a screen")
    _add_run(render, names)
    _add_second_run(render)
    phases = "walk so many phases into the next step first; the window then shows the chain rule"
    render.add_argument("--phases", type=_count, default=0, metavar="N", help=phases)
    render.add_argument("--view", choices=VIEWS, default="figure", help="what to draw (default: figure)")
    render.add_argument("--theme", choices=("light", "dark"), default="light")
    render.add_argument("--size", type=_size, metavar="WxH", help="in logical pixels")
    render.add_argument("--scale", type=_scale, default=1.0, metavar="S", help="pixels per logical pixel, for PNG (default: 1)")
    render.add_argument("--from", type=_count, default=1, metavar="N", dest="first", help="the step an animation begins with (default: 1)")
    render.add_argument("--every", type=_positive, metavar="N", help="only every Nth step (default: so that there are at most 150 frames)")
    render.add_argument("--phases-of", type=_positive, metavar="STEP", help="animate the phases of this step instead of a run of steps")
    render.add_argument("--fps", type=_rate, metavar="N", help="frames per second, 1 to 50 (default: 12, of phases 4)")
    endings = "a picture ends in .png, .svg or .pdf, an animation in .gif, .apng, .webp or .mp4"
    render.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=endings)

    numbers = commands.add_parser("numbers", help="write the numbers of a view, without a screen")
    _add_run(numbers, names)
    _add_second_run(numbers)
    numbers.add_argument("--phases", type=_count, default=0, metavar="N", help="walk so many phases into the next step first")
    numbers.add_argument("--view", choices=(*PANEL_VIEWS, *PANEL_TABLES, *LAB_VIEWS, COMPARE), required=True, help="whose numbers")
    numbers.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="ends in .csv or .npz")
    return parser


def _add_run(parser: argparse.ArgumentParser, names: str, usual: str = str(STEPS)) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--preset", metavar="NAME", help=names)
    help = "a spec as JSON, or a session or a recording, which is drawn where it stands; or a preset's name"
    source.add_argument("file", nargs="?", type=Path, metavar="FILE", help=help)
    parser.set_defaults(session=None, playback=None, other=None, against=None, changes=[])
    steps = f"how many training steps (default: {usual})"
    parser.add_argument("--steps", type=_count, metavar="N", help=steps)
    weights = "begin with the weights of this .safetensors file, from step 0 on"
    parser.add_argument("--weights", type=Path, metavar="FILE", help=weights)
    parser.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="FIELD=VALUE", dest="settings", help="such as network.depth=20"
    )


def _add_second_run(parser: argparse.ArgumentParser) -> None:
    """The other side of ``--view compare``."""
    help = "the second run, for --view compare; --against says the same"
    parser.add_argument("other", nargs="?", type=Path, metavar="FILE", help=help)
    parser.add_argument("--against", type=Path, metavar="FILE", help="the second run of --view compare: a file or a preset's name")
    change = "what is different in the second run of --view compare, such as network.activation=relu"
    parser.add_argument("--change", action="append", default=[], type=_setting, metavar="FIELD=VALUE", dest="changes", help=change)


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative; it counts from 0")
    return count


def _positive(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return count


def _rate(text: str) -> int:
    rate = int(text)
    if not 1 <= rate <= 50:
        raise argparse.ArgumentTypeError(f"{text} is outside 1 to 50")
    return rate


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a size like 1600x1000") from None
    if not (64 <= width <= 16_384 and 64 <= height <= 16_384):
        raise argparse.ArgumentTypeError(f"{text} is outside 64x64 to 16384x16384")
    return width, height


def _scale(text: str) -> float:
    scale = float(text)
    if not 0.25 <= scale <= 8.0:
        raise argparse.ArgumentTypeError(f"{text} is outside 0.25 to 8")
    return scale


def _setting(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text} has no “=”; write FIELD=VALUE, such as network.depth=20")
    return path.strip(), value.strip()


def _open_window(options: argparse.Namespace, file: Path | None) -> int:
    platform = os.environ.get("QT_QPA_PLATFORM")
    if sys.platform == "linux" and not platform and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        # Qt would abort the process without a word of what to do
        print("gradviz: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); “render” draws without one.", file=sys.stderr)
        return 1
    preset = preset_named(options.preset) if options.preset is not None else None
    from .application import run_window

    return run_window(preset, options.theme, file)
