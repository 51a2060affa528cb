"""Studies: several runs that belong together, compared or searched."""
