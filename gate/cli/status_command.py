"""A command whose commit status never stays as an earlier run set it, however this run ends."""

import os
from typing import TYPE_CHECKING, Any

import click

from gate.cli.command import DEFAULT_POLICY, Command
from gate.errors import ExitCode

if TYPE_CHECKING:
    from gate.cli.status_publisher import StatusPublisher


class StatusCommand(Command):
    """A command with `--status`; the context's object is then its `StatusPublisher`."""

    default_key: str | None = None
    """The key that distinguishes its status from that of other commands if there is no
    ``--gate-key``."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the command line; a wrong command line sets the status to an error."""
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError:
            values = self._as_far_as_readable(given)
            if values.get("status"):
                _tell(values, self.default_key)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        if not ctx.params["status"]:
            return super().invoke(ctx)
        from gate.cli.status_publisher import failing_status  # noqa: PLC0415 - where it is set only

        ctx.obj = _publisher(ctx.params, self.default_key)
        with failing_status(ctx.obj):
            return super().invoke(ctx)

    def _as_far_as_readable(self, args: list[str]) -> dict[str, Any]:
        """Return the values in a wrong command line, as text.

        The parser stops at a flag with a value, and at a last option without a value.
        """
        flags = {name for param in self.params if _is_flag(param) for name in param.opts}
        bare = [arg.split("=")[0] if arg.split("=")[0] in flags else arg for arg in args]
        values = self._values(bare)
        if "policies" not in values:
            values = self._values([*bare, ""])
        given = values["policies"]  # click marks a missing value in its own way
        paths = [path for path in given if path[:1] not in {"", "-"}] if _is_list(given) else []
        return {**values, "policies": paths or [DEFAULT_POLICY]}

    def _values(self, args: list[str]) -> dict[str, Any]:
        context = click.Context(
            self, resilient_parsing=True, ignore_unknown_options=True, allow_extra_args=True
        )
        values: dict[str, Any] = self.make_parser(context).parse_args(list(args))[0]
        return values


def _tell(values: dict[str, Any], default_key: str | None) -> None:
    from gate.cli.streams import write_stderr  # noqa: PLC0415 - for mistakes only

    write_stderr(_publisher(values, default_key).failed(ExitCode.USAGE))


def _is_flag(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and param.is_flag


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def publisher_of(ctx: click.Context) -> "StatusPublisher | None":
    """Return the publisher of the commit status in this run; None: no status."""
    publisher: StatusPublisher | None = ctx.obj
    return publisher


def _publisher(values: dict[str, Any], default_key: str | None) -> "StatusPublisher":
    from gate.cli.ci_environment import CiEnvironment, context_of  # noqa: PLC0415 - as above
    from gate.cli.publishing import identity_of  # noqa: PLC0415 - as above
    from gate.cli.status_publisher import StatusPublisher  # noqa: PLC0415 - as above

    environment, base = values.get("environment"), values.get("base")
    place = CiEnvironment(
        context_of(values.get("ci") or "auto", base=base, environment=environment), os.environ
    )
    paths = tuple(values["policies"])
    key = values.get("gate_key") or default_key
    identity = identity_of(paths, place, key=key, status_name=values.get("status_name"))
    return StatusPublisher(place, identity, paths)
