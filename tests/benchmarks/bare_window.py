"""The peer of the launch: the smallest program that shows a pyqtgraph plot in a window."""

import sys

import pyqtgraph
from PySide6.QtWidgets import QApplication, QMainWindow

application = QApplication(sys.argv)
window = QMainWindow()
window.setCentralWidget(pyqtgraph.PlotWidget())
window.resize(1600, 1000)
window.show()
sys.exit(application.exec())
