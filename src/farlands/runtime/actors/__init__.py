"""Actors apart from the learner: worlds in worker processes on Ray, on one machine or many, for slow simulators."""
