"""What holds for every test: no window on anybody's desktop.

Qt reads its platform when it is first imported, and without a display it aborts the process. Set
``QT_QPA_PLATFORM=xcb`` to watch the tests work.
"""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
