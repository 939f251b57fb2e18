"""A whole training, from its first transition to its summary. Knows no ROS.

A map, from the outside in::

    learner_config.py      its settings; evaluator_config.py: those of an evaluation through the nodes
    training_run.py        one training: what is due when
      goal.py                what ends it early
      training.py            transitions in, updates at a set ratio, weights out
        arrivals.py intake.py  which transitions came twice or never; what became of one
        returns.py             returns of whole episodes
        seen_states.py         the region of states that was seen
      slices.py              updates between two callbacks
      flow_control.py        which transitions are asked for
      divergence.py relapse.py    what is done when updates diverge; when a solution is lost
      evaluation_schedule.py evaluation_process.py evaluation_worker.py    when, and in which processes, it is tried
        evaluation.py gate.py  in deterministic episodes of the robot as described; on the plants of the gate
      publication.py         the weights that are published
      resuming.py            brings it back from its run directory (store/ knows what is written there)
      report.py counters.py rates.py times.py progress.py    what it says of itself
    evaluation_result.py interquartile.py    what an evaluation through the nodes finds; a mean, and how sure it is
"""
