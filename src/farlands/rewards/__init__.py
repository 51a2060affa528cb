"""Rewards: task, intrinsic or a user's own, all one RewardSource contract."""
