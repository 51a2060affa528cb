"""Matter that changes by itself: what falls and what grows. Only what was touched or planted is looked at."""
