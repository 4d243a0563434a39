"""Starts GradViz."""

if __name__ == "__main__":
    import multiprocessing

    multiprocessing.freeze_support()  # a frozen build starts this file again for the engine
    from ui.app import main

    raise SystemExit(main())
