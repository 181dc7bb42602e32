"""The commands of `score-trainer`, a module each: `add` says what a command takes, `run` does it."""
