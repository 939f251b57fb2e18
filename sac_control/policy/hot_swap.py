"""The policy in force, and how a new one takes its place: checked whole, in pieces, then swapped by one assignment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sac_control.errors import ConfigError, PolicyFileError
from sac_control.identity import describe_run
from sac_control.policy.pieces import Pieces, completed, hash_in_pieces
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.signature import TrustedKeys
from sac_control.types import Specification, SwapReport, Weights

LONGEST_VERDICT = 300  # [characters] it may contain untrusted text


class HotSwap:
    """Holds the policy in force and decides over every set of weights that is offered.

    Checking takes longer than a control tick may wait, so it is done in pieces: `consider` takes the weights, each call
    of `work` does a piece, until `is_busy` is false. What is offered meanwhile waits, the newest alone.

    Args:
        task: the task that weights must be for.
        max_bytes: larger offers are rejected unread.
        clock: steady clock [s], to measure how long a swap holds up the control thread.
        require: raises PolicyFileError where a specification is not one that may run here.
        accept_run_id: id of the run whose weights are accepted; empty: none are. `install` takes any.
        trusted: keys one of which must have signed a policy; None: none need be signed.
    """

    def __init__(
        self,
        task: str,
        max_bytes: int,
        clock: Callable[[], float],
        require: Callable[[Specification], None] = lambda _: None,
        trusted: TrustedKeys | None = None,
        accept_run_id: str = "",
    ) -> None:
        self._task, self._max_bytes, self._clock, self._require = task, max_bytes, clock, require
        self._trusted, self._accept_run_id = trusted, accept_run_id
        self.file: PolicyFile | None = None  # what is in force
        self.policy: Policy | None = None  # its network, ready to act
        self.last_report: SwapReport | None = None
        self.swaps = 0  # accepted offers
        self.rejected = 0  # rejected offers; an offer of the version in force is neither
        self._before: tuple[PolicyFile, Policy] | None = None  # what was in force before, for a rollback
        self._withdrawn: tuple[str, int] | None = None  # run id and version that was rolled back last
        self._newest: dict[str, int] = {}  # newest version of each run, by its id, that was ever in force
        self._waiting: Weights | None = None  # offered, not begun to be checked
        self._offered: Weights | None = None  # being checked
        self._check: Pieces[tuple[PolicyFile, Policy]] | None = None  # the rest of its check
        self._gap = 0.0  # [s] longest piece of it so far

    def offer(self, weights: Weights) -> SwapReport | None:
        """Check `weights` at once, and put them in force if all is well; otherwise the old policy stays.

        Returns:
            The verdict, or None where the very weights in force are announced again.
        """
        self.consider(weights)
        report = None
        while self.is_busy:
            report = self.work()
        return report

    def consider(self, weights: Weights) -> None:
        """Let `work` check `weights`, after those that it may be at."""
        self._waiting = weights

    @property
    def is_busy(self) -> bool:
        """Whether weights are being checked or wait for it."""
        return self._check is not None or self._waiting is not None

    def work(self) -> SwapReport | None:
        """Do a piece of the check; the verdict if it was the last.

        Weights that pass are in force then. The very weights in force, announced again, get no verdict.
        """
        if self._check is None:
            self._offered, self._waiting = self._waiting, None
            if self._offered is None or self._is_in_force(self._offered):
                return None
            self._check, self._gap = self._checked(self._offered), 0.0
        assert self._offered is not None
        start = self._clock()
        accepted, verdict = False, None
        try:
            next(self._check)
        except StopIteration as end:
            if self.file is not None and self.policy is not None:
                self._before = self.file, self.policy
            self._put_in_force(*end.value)
            self.swaps += 1
            accepted, verdict = True, "in force"
        except (PolicyFileError, ConfigError) as error:
            self.rejected += 1
            verdict = str(error)[:LONGEST_VERDICT]
        except Exception as error:  # noqa: BLE001 (not hidden: it is the verdict. What nobody thought of is rejected, too)
            self.rejected += 1
            verdict = f"the policy could not be checked: {error!r}"[:LONGEST_VERDICT]
        self._gap = max(self._gap, self._clock() - start)
        if verdict is None:
            return None
        self._check = None
        self.last_report = SwapReport(
            offered_version=self._offered.version, accepted=accepted, verdict=verdict, gap=self._gap
        )
        return self.last_report

    def install(self, file: PolicyFile) -> None:
        """Put a policy read from disk in force.

        Raises:
            PolicyFileError: it is for another task, or not signed by whom it must be.
        """
        completed(self._check_signature(file))
        self._check_fit(file)
        self._put_in_force(file, Policy(file.actor))

    def roll_back(self) -> PolicyFile:
        """Put the previous policy in force again; what is rolled back, and what is older, is rejected from now on.

        Raises:
            PolicyFileError: there is none.
        """
        if self._before is None or self.file is None:
            raise PolicyFileError("there is no previous policy")
        self._withdrawn = self.file.run_id, self.file.policy_version
        self._exchange(*self._before)
        self._before = None
        return self.file

    def _put_in_force(self, file: PolicyFile, policy: Policy) -> None:
        self._exchange(file, policy)
        self._newest[file.run_id] = max(file.policy_version, self._newest.get(file.run_id, -1))

    def _exchange(self, file: PolicyFile, policy: Policy) -> None:
        """Let exploration go on, but by `policy`."""
        if self.policy is not None:
            policy.keep_exploration_of(self.policy)
        self.file, self.policy = file, policy

    def _is_in_force(self, weights: Weights) -> bool:
        """Whether `weights` are announced again: in force, or just rolled back. Neither gets a verdict."""
        name = (weights.run_id, weights.version)
        current = self.file
        return name == self._withdrawn or (current is not None and name == (current.run_id, current.policy_version))

    def _checked(self, weights: Weights) -> Pieces[tuple[PolicyFile, Policy]]:
        self._check_run(weights)
        if len(weights.data) > self._max_bytes:
            raise PolicyFileError(f"weights have {len(weights.data)} bytes, limit {self._max_bytes}")
        digest = hashlib.sha256()
        yield from hash_in_pieces(digest, weights.data)
        if digest.digest() != weights.sha256:
            raise PolicyFileError("the weights do not match their sha256: corrupted in transit")
        self._check_order(weights)
        file = yield from PolicyFile.in_pieces(weights.data)
        named = (weights.version, weights.run, weights.run_id)
        if (file.policy_version, file.run, file.run_id) != named:
            raise PolicyFileError(
                f"message names version {weights.version} of run {weights.run!r}, {weights.run_id[:8]}, "
                f"its file says {file.policy_version} of {file.run!r}, {file.run_id[:8]}"
            )
        self._check_fit(file)
        yield from self._check_signature(file)
        yield
        self._check_order(weights)  # again: a policy may have been installed meanwhile
        self._check_fit(file)
        return file, Policy(file.actor)

    def _check_run(self, weights: Weights) -> None:
        if not self._accept_run_id:
            raise PolicyFileError("no weights are accepted: policy.accept_weights names no run")
        if weights.run_id != self._accept_run_id:
            raise PolicyFileError(
                f"weights are of {describe_run(weights.run_id)}, policy.accept_weights is "
                f"{describe_run(self._accept_run_id)}: weights of another run are rejected"
            )

    def _check_order(self, weights: Weights) -> None:
        run, version, current = weights.run_id, weights.version, self.file
        if current is not None and run == current.run_id and version < current.policy_version:
            raise PolicyFileError(f"version {version} is older than {current.policy_version}, in force")
        if version <= (newest := self._newest.get(run, -1)):
            raise PolicyFileError(f"version {version} is not newer than {newest}, which was in force before")

    def _check_signature(self, file: PolicyFile) -> Pieces[None]:
        if self._trusted is not None:
            yield from self._trusted.check(file.digest, file.signature)

    def _check_fit(self, file: PolicyFile) -> None:
        self._require(file.specification)
        if file.specification.task != self._task:
            raise PolicyFileError(
                f"policy is for task {file.specification.task!r}, expected {self._task!r}: "
                "choose a policy of this task or set the parameter task"
            )
        if self.file is not None and file.specification_hash != self.file.specification_hash:
            raise PolicyFileError(
                f"policy has specification {file.specification_hash[:12]}, in force is "
                f"{self.file.specification_hash[:12]}: joints, observation, limits or control period differ"
            )
