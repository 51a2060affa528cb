"""Environments of others as worlds: single Gymnasium environments in processes, vector environments, JAX."""
