"""Policy files on disk: what cannot be read, what lies beside them, and where they come from."""

from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.backends.static import StaticSettings
from gate.config.load import load, validate_file
from gate.errors import ExitCode, PolicyError
from tests.config.texts import TIERS, policy, slo

STATIC = policy(
    backend="backend: {type: static, path: counts.yaml}\n",
    slos=slo("objective: 99%", "window: 30d"),
)


def told(path: Path) -> list[str]:
    """Return the mistakes of a file without its folder; loading and validating tell the same."""
    with pytest.raises(PolicyError) as error:
        load(str(path), {})
    mistakes = error.value.mistakes
    assert mistakes == validate_file(str(path), {})
    assert error.value.exit_code is ExitCode.USAGE
    return [str(mistake).removeprefix(f"{path.parent}/") for mistake in mistakes]


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"\xff", "1:1", "is not UTF-8 text: the byte 0xFF is here"),
        (b"version: 1\nservice: caf\xe9\n", "2:13", "is not UTF-8 text: the byte 0xE9 is here"),
        (
            "version: 1\nservice: ä ".encode() + b"\xe9",
            "2:12",
            "is not UTF-8 text: the byte 0xE9 is here",
        ),
        ("version: 1\n".encode("utf-16"), "1:1", "is in UTF-16"),
        ("version: 1\n".encode("utf-16-le"), "1:2", "seems to be in UTF-16"),
    ],
)
def test_a_file_that_is_not_utf_8_says_where(
    tmp_path: Path, content: bytes, place: str, words: str
) -> None:
    path = tmp_path / "gate.yaml"
    path.write_bytes(content)

    assert told(path) == [
        f"gate.yaml:{place}: error: the file {words}; save it as UTF-8 in your editor"
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.yaml", "No such file or directory"),
        ("folder", "Is a directory"),
        ("file/inside.yaml", "Not a directory"),
        (f"{'a' * 300}.yaml", "File name too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / name

    assert told(path) == [f"{path.name}:1:1: error: the file cannot be read: {reason}"]


def test_counts_are_found_beside_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(STATIC)
    (tmp_path / "counts.yaml").touch()

    file = load(str(path), {})

    assert file.settings == StaticSettings(path=tmp_path / "counts.yaml")
    assert (file.policy.service, file.warnings) == ("chat", ())
    assert (file.source.path, file.source.sha256) == (
        str(path),
        sha256(STATIC.encode()).hexdigest(),
    )


def test_counts_that_are_missing_are_an_error_and_only_a_warning_to_validate(
    tmp_path: Path,
) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(STATIC)

    with pytest.raises(PolicyError, match=r":3:31: error: there is no file counts.yaml"):
        load(str(path), {})
    (warning,) = validate_file(str(path), {})
    assert not warning.fatal


def test_warnings_come_with_the_policy(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(policy(tiers=TIERS.replace(", rollback", "")))

    (warning,) = load(str(path), {}).warnings

    assert "forbids rollback" in warning.message


def test_the_logs_backend_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(
        policy(
            backend="backend: {type: logs, path: 'logs/*.csv', timestamp: ts,"
            " time_zone: Europe/Berlin, format: csv}\n",
            slos=slo("objective: 99%", "window: 30d", "sli: {bad: status >= 500}"),
        )
    )

    assert load(str(path), {}).settings == LogsSettings(
        path="logs/*.csv",
        directory=tmp_path,
        records=Records(timestamp="ts", time_zone=ZoneInfo("Europe/Berlin"), format="csv"),
    )


def test_a_policy_needs_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(policy())
    monkeypatch.setenv("PATH", "")

    source = load(str(path), {}).source

    assert (source.revision, source.modified) == (None, False)
