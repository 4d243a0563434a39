"""The menu of one layer: an activation and a width of its own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QWidget, QWidgetAction

from gradviz.spec import Spec, field_info

from ..activation_glyph import glyph_icon
from ..theme import Theme, font
from .numbers import Stepper


def build_layer_menu(spec: Spec, layer: int, theme: Theme, want: Callable[[str, object], None], parent: QWidget) -> QMenu:
    """The menu of hidden layer number ``layer``; it calls ``want(path, value)`` with what is chosen.

    For the input column and the output layer, which have neither to choose, it says so.
    """
    menu = QMenu(parent)
    network = spec.network
    if network.recurrent or not 1 <= layer <= network.depth:
        what = "The output layer is linear" if layer > network.depth else "The input is given by the data"
        if network.recurrent:
            what = "All time steps share the weights and the activation"
        menu.addAction(what).setEnabled(False)
        return menu
    menu.setAccessibleName(f"Layer {layer}")
    menu.addAction(_widget_action(_title(f"Layer {layer}"), menu))
    current = network.layer_activations[layer - 1]

    def choose(name: str) -> None:
        chosen = list(network.layer_activations)
        chosen[layer - 1] = name
        want("network.activations", None if set(chosen) == {network.activation} else tuple(chosen))

    group = QActionGroup(menu)
    for name, title in field_info("network.activation").choices:
        # a menu shows either an icon or a check mark: the current curve stands on the fill of what is selected
        icon = glyph_icon(name, theme.inverse_text, theme.inverse) if name == current else glyph_icon(name, theme.ink1)
        action = menu.addAction(icon, title)
        action.setCheckable(True)
        action.setChecked(name == current)
        action.triggered.connect(lambda _=False, name=name: choose(name))
        group.addAction(action)
    menu.addSeparator()
    same = menu.addAction("Same as all the others")
    same.setEnabled(current != network.activation or network.layer_widths[layer - 1] != network.width)
    same.triggered.connect(lambda: _share(spec, layer, want))
    menu.addSeparator()
    menu.addAction(_width_action(spec, layer, want, menu))
    return menu


def _share(spec: Spec, layer: int, want: Callable[[str, object], None]) -> None:
    """Give a layer what the others share."""
    network = spec.network
    for path, own, common in (
        ("network.activations", network.layer_activations, network.activation),
        ("network.widths", network.layer_widths, network.width),
    ):
        if own[layer - 1] != common:
            values = (*own[: layer - 1], common, *own[layer:])
            want(path, None if set(values) == {common} else values)


def _width_action(spec: Spec, layer: int, want: Callable[[str, object], None], menu: QMenu) -> QWidgetAction:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(12, 3, 12, 3)
    label = QLabel("Units")
    label.setFont(font(13))
    info = field_info("network.width")
    stepper = Stepper(info)
    stepper.describe(f"Units of layer {layer}", info.help)
    stepper.setFixedWidth(120)
    stepper.show_value(spec.network.layer_widths[layer - 1])

    def choose(value: object) -> None:
        if not isinstance(value, int) or not 1 <= value <= int(info.maximum or 1):
            stepper.show_value(spec.network.layer_widths[layer - 1])
            return
        stepper.show_value(value)
        widths = (*spec.network.layer_widths[: layer - 1], value, *spec.network.layer_widths[layer:])
        want("network.widths", None if set(widths) == {spec.network.width} else widths)

    stepper.wanted.connect(choose)
    row.addWidget(label)
    row.addStretch(1)
    row.addWidget(stepper)
    return _widget_action(line, menu)


def _title(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("ink", 2)
    label.setContentsMargins(12, 4, 12, 4)
    return label


def _widget_action(widget: QWidget, menu: QMenu) -> QWidgetAction:
    action = QWidgetAction(menu)
    action.setDefaultWidget(widget)
    return action
