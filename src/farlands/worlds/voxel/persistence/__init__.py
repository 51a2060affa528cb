"""Worlds on disk: saves and replays."""
