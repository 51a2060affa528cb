"""How costs grow with sizes and skills with depth, measured; and what that makes a training run cost."""
