"""Learning: rollout storage, returns, and one file per learner."""
