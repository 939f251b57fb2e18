"""What protects the learner's work, and what tells of faults."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_faults_learner.py", "test_checkpoints.py", "test_replay_file.py", "test_training_run.py"): [
        ("store/checkpoints.py", 'staging = self._directory / f".{step}.{os.getpid()}.tmp"',
         "staging = self._directory / str(step)", "at_any_step"),
        ("store/checkpoints.py", "        self._finish_interrupted()\n", "", "at_any_step"),
        ("store/checkpoints.py", "(self._directory / str(step)).rename(removed)",
         "shutil.rmtree(self._directory / str(step))", "at_any_step"),
        ("store/checkpoints.py", ".hexdigest().encode() != digest", ".hexdigest().encode() == digest[:1]", "any_bit"),
        ("store/checkpoints.py", '.hexdigest() != state["sha256"][name]', '.hexdigest() == ""', "changed_file"),
        ("store/replay_file.py",
         'records["checksum"] == self._checksums(start, np.ascontiguousarray(rows, "<f4"), records)',
         "np.ones(len(rows), bool)", "any_flipped_bit"),
        ("store/replay_file.py", 'np.arange(start, start + len(rows), dtype="<u8")', 'np.zeros(len(rows), "<u8")',
         "in_the_place_of_another"),
        ("store/replay_file.py", "        os.ftruncate(descriptor, offset)\n", "", "are_cut_off"),
        ("store/replay_log.py", "min(self._written, self._file.count())", "self._written", "goes_on_in_memory"),
        ("training/resuming.py", "newer, complaint = store.rows.newer()", 'newer, complaint = [], ""',
         "again_and_again"),
        ("training/resuming.py", "training.skip_versions(max", "max(0, max", "again_and_again"),
        ("store/writing.py", "except (OSError, RunError) as error", "except ZeroDivisionError as error",
         "goes_on_in_memory"),
        ("store/run_directory.py", "if self._lock is None or atomic.is_at(self._lock.fileno(), self._lock_path):",
         "if True:", "goes_on_in_memory"),
        ("store/run_directory.py", "fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass", "second_learner"),
        ("training/training_run.py", "        self._keep_disk_up()\n        owed", "        owed", "again_and_again"),
        ("training/training_run.py", "if self.store.is_due_again:", "if False:", "goes_on_in_memory"),
        ("training/training_run.py", "if not config.resume:  # from", "if False:  # from", "first_moment"),
        ("training/training_run.py",
         "if not self._config.resume and (self.run.checkpoints.exists() or self.run.replay.exists()):", "if False:",
         "begun_afresh"),
        ("training/training_run.py", "        self._divergence.roll_back_if_diverged()\n", "", "not_saved_on_request"),
        ("store/run_store.py", "        self._put_best()\n        if not", "        if not", "disk_could_not_take"),
    ],
    ("test_faults_learner.py",): [
        ("training/training_run.py", "if not self._save_sound():",
         "if not self._save_sound() and False:",
         "goes_on_in_memory"),
    ],
    ("test_deterministic_training.py",): [
        ("training/training_run.py", "evaluations.is_busy or self.is_done,", "evaluations.is_busy,",
         "training_ends_with"),
        ("training/flow_control.py", "is_open = self.is_worked_off and ", "is_open = ", "before_all_is_done"),
        ("training/training_run.py", "is_held=evaluations.is_busy or self.is_done", "is_held=self.is_done",
         "verdict_is_awaited"),
        ("training/flow_control.py", " if self._granted_to == source else 0", "", "begin_anew"),
        ("training/training_run.py", " and not awaits_verdict", "", "verdict_is_awaited"),
        ("training/training_run.py", "not self.is_done and not awaits", "not awaits", "training_ends_with"),
        ("training/training_run.py", "if not self._slices.is_whole_group:", "if False:",
         "same_numbers_and_publications and native"),
        ("training/training_run.py", "if self._config.deterministic and self.training.updates_owed:", "if False:",
         "verdict_is_awaited"),
    ],
    ("test_gate.py",): [
        ("training/gate.py", "suspects = self._failed\n", "suspects: list[Plant] = []\n", "come_first"),
        ("training/gate.py", "self._try(act, suspects, may_fail)", "pass", "nothing_else_is_tried"),
        ("training/gate.py", "len(self._failed) <= may_fail", "True", "no_further"),
        ("training/gate.py", "    env.reset(seed=int(rng.integers(2**31)))\n", "    pass\n", "same_numbers"),
        ("training/gate.py", '"variation": plant.variation', '"variation": {}', "differ_as_they_say"),
    ],
    ("test_hardening.py",): [
        ("training/training_run.py",
         "if self._relapse.return_if_lost(evaluation, is_hardening=self._has_gate):", "if False:", "taken_back"),
        ("training/training.py",
         "self.algorithm.note_solved(actor, is_hardening=self._is_hardening)\n        self.rest", "self.rest",
         "taken_back"),
        ("training/training_run.py", "if self._has_gate else None", "", "once_the_task_was_solved"),
        ("training/resuming.py", 'if checkpoint.state.get("is_hardened")', "if False", "right_after_its_verdict"),
        ("store/run_store.py", "if self._unsaved_best is not None:\n            return",
         "if False:\n            return", "disk_could_not_take"),
    ],
    ("test_until.py",): [
        ("training/learner_config.py", "        if _REMOVED in values:\n", "        if False:\n", "removed_setting"),
    ],
    ("test_slices.py",): [
        ("training/slices.py", "min(owed, self._fitting, ", "min(owed, ", "no_longer_than"),
    ],
    ("test_node_learner.py",): [
        ("training/training_run.py", "if self._config.resume and not self.run.exists:", "if False:",
         "is_not_trained_over"),
    ],
    ("test_diagnostics.py",): [
        ("nodes/learner.py", "response.message = False, str(error)", "response.message = True, str(error)",
         "is_in_error_and_refuses"),
    ],
    ("test_diagnosis.py",): [
        ("health/diagnosis.py", " if now - then < RECENT", "", "only_while_it_grows"),
    ],
}  # fmt: skip
LONG: Controls = {
    ("test_faults_learner.py",): [
        ("algorithms/off_policy.py", "generator.bit_generator.state =", "_ =", "again_and_again"),
    ],
    ("test_training_run.py",): [
        ("training/resuming.py", "if saved.specification != specification:", "if False:",
         "another_task_whose"),
        ("store/run_store.py", "(checkpoint.state, {} if best is None else best.state)", "(checkpoint.state,)",
         "best_policy_that_is_damaged"),
        ("algorithms/off_policy.py", "min(max(value, -_LARGEST_START), _LARGEST_START)", "value", "beyond_all_measure"),
    ],
    ("test_sac_training.py",): [
        ("algorithms/off_policy.py", "if not self.learner.updates:", "if not self.updates:", "optimistic_start_again"),
        ("algorithms/off_policy.py", "self._sound | self.learner.observed()", "self._sound", "not_what_was_observed"),
        ("algorithms/off_policy.py", "self._refreshed_at = self._sound_refreshed_at", "pass", "not_what_was_observed"),
        ("algorithms/algorithm.py", "min(self.rollbacks, MOST_HALVINGS)", "self.rollbacks", "sixty_fourth"),
    ],
    ("test_pybullet.py",): [
        ("worlds/world.py", "        if self._has_window:", "        if False:", "shown_in_a_window"),
    ],
    ("test_env_copies.py",): [
        ("envs/env.py", "        self._check_open()\n        copied", "        copied", "closed_environment"),
        ("worlds/world.py", "    world.load(saved)\n", "", "to_the_last_bit"),
        ("worlds/world.py", "if digest != self._digest(state):", "if False:", "damaged_or_of_another_machine"),
    ],
    ("test_robot_files.py",): [
        ("worlds/pybullet_world.py", "    _check_bodies(description)\n", "", "refused_in_a_sentence"),
        ("worlds/world.py", "if not sum(map(abs, self.position))", "if False and sum(map(abs, self.position))",
         "diverges_is_told"),
        ("worlds/mujoco_world.py", "    _check_tree(description, model)\n", "", "floating_base"),
        ("robots/description.py", "    _check_tree(path, root)\n", "", "refused_in_a_sentence"),
    ],
    ("test_world_contract.py",): [
        ("worlds/pybullet_world.py", "np.frombuffer(state[:size]).tolist()", "[0.0, 0.0]", "goes_on_to_the_last"),
        ("worlds/pybullet_world.py", "    return min(most, allowed) if", "    return most if", "description_has"),
    ],
    ("test_progress.py",): [
        ("training/progress.py", "contextlib.suppress(OSError)", "contextlib.nullcontext()", "full_disk_behind"),
    ],
    ("test_algorithm_settings.py",): [
        ("training/learner_config.py", "if getattr(now, name) != getattr(before, name):", "if False:",
         "cannot_go_on_with_other"),
    ],
    ("test_node_learner.py",): [
        ("nodes/learner.py", "msg.policy_version if msg.policy_run_id == run_id else 0",
         "msg.policy_version", "versions_of_another_run"),
    ],
    ("test_evaluation_process.py",): [
        ("training/evaluation_worker.py", 'if not line.endswith(b"\\n"):', "if not line:", "within_its_answer"),
        ("training/evaluation.py", "is_solution=self.is_solved,\n            mean_return=self.mean_return,",
         "is_solution=False,\n            mean_return=float(np.mean(self.all_returns)),", "are_ranked_by_solution"),
    ],
    ("test_diagnostics.py",): [
        ("nodes/learner.py", "(ERROR, store.complaint),", "", "is_in_error_and_refuses"),
        ("nodes/health.py", "(ERROR, self._compatibility.complaint), ", "", "names_a_peer"),
        ("nodes/simulator.py",
         "if age > (limit := self._config.command_timeout):",
         "if False:", "while_its_watchdog_zeroes"),
    ],
}  # fmt: skip
