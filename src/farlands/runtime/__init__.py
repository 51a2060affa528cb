"""Runtime: the run loop, checkpoints, run directories, records and displays."""
