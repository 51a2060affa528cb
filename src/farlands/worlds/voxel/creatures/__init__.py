"""Creatures: the animals and monsters of a world, what moves them, what they do and what they leave."""
