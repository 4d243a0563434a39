"""The game in which a class guesses what a change does before it is run."""
