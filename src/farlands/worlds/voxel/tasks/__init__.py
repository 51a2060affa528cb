"""Tasks nobody scripted: a grammar of goals over what agents carry, do, undergo and reach, and a sampler of them.

Everything but ``progress`` and ``events`` is free of torch and warp.
"""
