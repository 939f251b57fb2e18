"""Columns of metrics.csv that every training has; between these two stand those of its algorithm."""

RETURNS = ("last_return", "mean_return")
RATES = (
    "steps_per_second",
    "updates_per_second",
    "replay_ratio",
    "target_replay_ratio",
    "policy_lag",
    "wall_time",
)
