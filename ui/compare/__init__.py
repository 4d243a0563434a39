"""The parts of the page on which two runs stand side by side; `ui.compare_page` puts them together."""
