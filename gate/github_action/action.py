"""The step of the GitHub Action, ``python -m gate.github_action.action``; see action.yml.

The command runs in a process of its own, so that the outputs are set even if it fails. Comment,
summary, outputs and annotations never change the exit code.
"""

import os
import subprocess
import sys
import traceback
from dataclasses import field, replace
from pathlib import Path
from typing import IO, Final, NoReturn

from gate.cli.ci_environment import CiEnvironment
from gate.cli.publishing import former_marker, identity_of, writer_of
from gate.cli.status_publisher import StatusPublisher, ending_signals
from gate.cli.streams import write_file
from gate.dataclass import dataclass
from gate.decision.decision import Context
from gate.errors import ExitCode, GateError, UsageError
from gate.git.repository import working_folder
from gate.github_action.inputs import (
    PREFIX,
    GateInputs,
    Inputs,
    Policies,
    find_policies,
    gate_inputs,
    read_inputs,
)
from gate.github_action.report import (
    NO_DECISION,
    StepEnding,
    decided,
    failed,
    undetermined,
    without_secrets,
)
from gate.github_action.step import Step
from gate.hosts.comments import upsert
from gate.hosts.identity import GateIdentity
from gate.hosts.systems import detect
from gate.hosts.systems.environ import Environ
from gate.reporters.escape import log_text, plain

_DECISIONS: Final = frozenset({ExitCode.ALLOW, ExitCode.UNDECIDED, ExitCode.BLOCK, ExitCode.WARN})
_UNWRITTEN: Final = "The report could not be written; the log of the step has it.\n"


@dataclass(slots=True)
class ActionRun:
    """One run of the step."""

    environ: Environ
    step: Step
    folder: Path
    """The folder for the files that the outputs name."""
    context: Context
    inputs: Inputs | None = None
    """None: not read yet, or not valid."""
    policies: Policies = field(default_factory=Policies)
    _moved: bool = False
    """Whether this process has changed to the folder of the input ``directory``."""

    def run(self) -> ExitCode:
        """Decide, publish the outcome, and return the exit code."""
        try:
            ending = self._decide()
        except GateError as error:
            ending = failed(error.exit_code, str(error))
        except KeyboardInterrupt:
            ending = failed(ExitCode.INTERRUPTED, "")
        except Exception:  # noqa: BLE001 - outputs are set on every path
            with self.step.foreign():
                self.step.say(traceback.format_exc())
            ending = failed(ExitCode.INTERNAL, "")
        self._publish(ending)
        return ending.code

    def _decide(self) -> StepEnding:
        inputs = self.inputs = read_inputs(self.environ)
        try:
            # As in a shell, keep the name of the folder, since it may be a link.
            folder = os.path.normpath(working_folder(self.environ) / inputs.directory)
            os.chdir(folder)
            self._moved = True
        except (OSError, ValueError) as error:
            raise UsageError(f"the input directory: {error}") from error
        self.environ = {**self.environ, "PWD": str(folder)}
        self.policies = find_policies(inputs, self._place.policies(inputs.policy_ref))
        for secret in self.policies.secrets:
            self.step.mask(secret)
        if self.context.no_secrets and self.policies.missing:
            passes = inputs.pass_without_secrets or inputs.observe
            return without_secrets(self.policies.missing, passes=passes)
        return self._check(inputs)

    def _check(self, inputs: Inputs) -> StepEnding:
        """Run the command; its output is foreign text."""
        files = {name: self.folder / f"gate.{name}" for name in ("markdown", "github")}
        files["json"] = self._decision
        copies = [f"--write={name}={path}" for name, path in files.items()]
        command = [sys.executable, "-m", "gate", "check", *inputs.options, *copies, "--"]
        with self.step.foreign():
            exit_code, output = call([*command, *inputs.policies], self.environ, self.step.log)
        if exit_code not in _DECISIONS:
            return failed(exit_code, output)
        if exit_code is ExitCode.UNDECIDED and not files["json"].exists():
            return undetermined(output)
        # The command has warned about a full disk, and the verdict is unaffected.
        self.step.say(_read(files["github"]))
        return decided(exit_code, _read(files["json"]), _read(files["markdown"]) or _UNWRITTEN)

    @property
    def _place(self) -> CiEnvironment:
        return CiEnvironment(self.context, self.environ)

    @property
    def _report(self) -> Path:
        return self.folder / "report.md"

    @property
    def _decision(self) -> Path:
        return self.folder / "decision.json"

    def _publish(self, ending: StepEnding) -> None:
        """Publish the outcome: the outputs first, since the rest may take a while."""
        files = {"report": str(self._report), "decision": str(self._decision)}
        self.step.set_outputs(ending.outputs | files)
        self._status(ending)
        if ending.complaint:
            lines = "\n".join(map(plain, ending.complaint.splitlines()))
            self.step.annotate("notice" if ending.code is ExitCode.ALLOW else "error", lines)
        write_file(str(self._report), ending.report)
        if self.inputs is None or self.inputs.summary:
            self.step.summarize(ending.report)
        if self.inputs is not None:
            self._comment(self.inputs, ending)

    def _comment(self, inputs: Inputs, ending: StepEnding) -> None:
        """Update the comment, which is the same as the command's; a failure is a warning.

        The command cannot comment on a run without a decision, and a comment that still says allow
        would be wrong.
        """
        context = self.context
        wanted = not context.no_secrets if inputs.comment is None else inputs.comment
        if not wanted or context.pull_request is None:
            return
        client = self._place.host()
        if client is None:
            self.step.annotate("warning", "No comment: the input token is empty.")
            return
        identity = self._identity(inputs.gate)
        services = [file.policy.service for file in self.policies.files]
        outcome = upsert(
            client,
            context.pull_request,
            identity.marker,
            ending.report,
            former=former_marker(services, inputs.policies, identity) if services else None,
            writer=writer_of(self.environ, ending.code),
        )
        if outcome.trouble:
            self.step.annotate("warning", plain(f"The comment: {outcome.trouble}"))
        self.step.say(log_text(plain(f"gate: comment {outcome.act} {outcome.url or ''}")))

    def _status(self, ending: StepEnding) -> None:
        """Replace a status that may still say success, if the step ended without a decision.

        The command has set the status of a decision or of its own failure, unless it was killed. If
        the inputs are wrong, the command has not run at all.
        """
        gate = gate_inputs(self.environ)
        if not gate.status or ending.outputs["verdict"] != NO_DECISION:
            return
        services = tuple(file.policy.service for file in self.policies.files)
        publisher = StatusPublisher(
            replace(self._place, context=replace(self.context, environment=gate.environment)),
            self._identity(gate),
            gate.policies if self._moved else gate.from_here,
            services if len(services) == len(gate.policies) else None,
        )
        for line in publisher.failed(ending.code).splitlines():
            self.step.say(log_text(plain(line)))

    def _identity(self, gate: GateInputs) -> GateIdentity:
        context = replace(self.context, environment=gate.environment)
        return identity_of(
            gate.policies if self._moved else gate.from_here,
            replace(self._place, context=context),
            key=gate.key,
            status_name=gate.status_name,
        )


def call(command: list[str], environ: Environ, log: IO[str]) -> tuple[ExitCode, str]:
    """Run a command, pass on its output as it comes, and return the output with its exit code."""
    passed = {name: value for name, value in environ.items() if not name.startswith(PREFIX)}
    output: list[str] = []
    with subprocess.Popen(  # noqa: S603 - no shell
        command,
        env=passed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                output.append(line)
                log.write(line)
                log.flush()
        except KeyboardInterrupt:
            process.terminate()
            raise
    try:
        return ExitCode(process.returncode), "".join(output)
    except ValueError:  # for example, it was killed
        return ExitCode.INTERNAL, "".join(output)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def run() -> NoReturn:
    """Run the step that this process's variables describe, and end the process."""
    action = ActionRun(
        environ=os.environ,
        step=Step(os.environ, sys.stdout),
        folder=Path(os.environ["GATE_FOLDER"]),
        context=detect(os.environ, "github"),
    )
    with ending_signals():
        code = action.run()
    sys.exit(code)


if __name__ == "__main__":
    run()
