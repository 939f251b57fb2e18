"""What keeps bad and foreign policies out."""

from negative_controls import Controls

SHORT: Controls = {
    ("test_policy_file_strangers.py",): [
        ("policy/policy_header.py", "if size > MAX_HEADER_BYTES:", "if False:", "too_long_is_refused_before"),
        ("policy/policy_header.py", "if not is_as_written or metadata", "if metadata", "in_other_words"),
        ("policy/policy_header.py", "not is_as_written or metadata or", "not is_as_written or", "metadata_beside"),
        ("policy/policy_header.py", '        or "/" in run\n        or run in (".", "..")\n', "", "plain_name"),
        ("types.py", " and value.isprintable()", "", "plain_name"),
        ("types.py", "type(value) in (int, float) and 0.0 <", "0.0 <", "strange_value_anywhere"),
    ],
    ("test_policy_file.py", "test_policy_file_strangers.py"): [
        ("policy/policy_file.py", "ArithmeticError, ", "", "strange_value_anywhere"),
        ("policy/policy_file.py", 'if (yield from _digest_in_pieces(header, tensors)) != header["sha256"]:',
         "if False:", "no_probe_sees"),
        ("policy/policy_file.py", "if tensors[name].shape != shape or", "if", "another_shape_is_refused"),
        ("policy/policy_file.py", "            )\n    _check_finite(tensors)\n", "            )\n",
         "not_finite_is_refused_and_named"),
    ],
    ("test_expression.py",): [
        ("expression/parser.py", "if self._depth > DEEPEST:", "if False:", "depth_and_length"),
        ("expression/parser.py", "if len(text) > LONGEST_TEXT:", "if False:", "depth_and_length"),
        ("expression/parser.py", "if memory_of(past) > LONGEST_MEMORY:", "if False:", "mistake_is_told"),
    ],
    ("test_envelope.py", "test_observation.py"): [
        ("policy/envelope.py", "if not bound.low < value < bound.high:",
         "if value <= bound.low or value >= bound.high:", "not_a_number_or_infinite"),
        ("policy/envelope.py", "check_reads_joint_states(term)", "pass", "no_single_joint_state"),
        ("observation.py", "[parse(term, joints) if isinstance(term, str) else term for term in terms]\n        for",
         "[parse(term) if isinstance(term, str) else term for term in terms]\n        for", "what_else_a_joint"),
    ],
    ("test_hot_swap.py",): [
        ("policy/hot_swap.py", "if len(weights.data) > self._max_bytes:", "if False:", "too_large"),
        ("policy/hot_swap.py", "if digest.digest() != weights.sha256:", "if False:", "damaged_on_the_way"),
        ("policy/hot_swap.py", "if version <= (newest := self._newest.get(run, -1)):", "if newest := 0:",
         "replayed_version"),
        ("policy/hot_swap.py", "if file.specification.task != self._task:", "if False:", "for_another_task"),
        ("policy/hot_swap.py", "except Exception as error:", "except ZeroDivisionError as error:",
         "nobody_thought_of"),
        ("policy/hot_swap.py", "file = yield from PolicyFile.in_pieces(weights.data)",
         "file = PolicyFile.from_bytes(weights.data)", "no_piece_works"),
    ],
    ("test_signature.py",): [
        ("policy/hot_swap.py", "        yield from self._check_signature(file)\n", "", "unsigned_weights"),
        ("policy/hot_swap.py", "        completed(self._check_signature(file))\n", "", "from_disk_must_be_signed"),
        ("policy/hot_swap.py", "if weights.run_id != self._accept_run_id:", "if False:", "signed_policy_of_another"),
        ("policy/signature.py", "key.verify(signature, DOMAIN + digest)", "key.verify(signature, digest)",
         "another_purpose"),
        ("policy/signature.py", "if mode & forbidden:", "if False:", "others_may"),
        ("training/publication.py", "file.to_bytes(self._signing_key)", "file.to_bytes()", "training_signs"),
    ],
    ("test_gymnasium_refusals.py", "test_gymnasium_env.py", "test_gymnasium_nodes.py"): [
        ("cli/named.py", "if not is_known and is_gymnasium(task)", "if False and is_gymnasium(task)",
         "no_module_imported"),
        ("policy/requirements.py", "if config.drives_robot and not specification.has_joints:", "if False:",
         "moves_no_robot"),
        ("envs/gymnasium_env.py", " or not np.isfinite(values).all()", "", "not_finite_is_told"),
        ("envs/gymnasium_env.py", "if not math.isfinite(reward):", "if False:", "not_finite_is_told"),
        ("policy/admission.py", " or not np.isfinite(values).all()", "", "cannot_be_used"),
        ("nodes/neighbours.py", "(topics.JOINT_STATES, topics.OBSERVATION)", "(topics.JOINT_STATES,)",
         "stranger_that_shows"),
    ],
    ("test_signature.py", "test_sros2.py"): [
        ("cli/plan_checks.py", "controller.install(file)", "pass", "deploys_it_alone"),
        ("cli/options.py", 'f"/sac_control{self.default_namespace}/{executable}"', 'f"/sac_control/{executable}"',
         "in_its_enclave"),
    ],
    ("test_faults_trust.py", "test_sros2.py"): [
        ("policy/controller.py", "self.safety, self.swap.policy,",
         "self.safety, None if self.swap.is_busy else self.swap.policy,", "swaps_skip_no_tick"),
        ("policy/hot_swap.py", "        yield from self._check_signature(file)\n", "", "neither_starts_nor_swaps_in"),
        ("nodes/learner.py", "        self.create_service(Trigger, topics.LEARNER_SAVE, self._on_save)\n", "",
         "exactly_what_it_has"),
    ],
}  # fmt: skip
