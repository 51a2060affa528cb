"""Bridges between the World contract and the interfaces of others."""
