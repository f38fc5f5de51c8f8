"""Files that are written: never through a link in it, and else wherever a person says."""

import os
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from gate.cli import files
from gate.cli.files import LINKED, open_to_write

VICTIM = "what was there\n"


@pytest.fixture(params=[True, False], ids=["by folder", "by path"])
def checkout(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Make a checkout, beside a file and a folder that are nobody's business."""
    monkeypatch.setattr(files, "_BY_FOLDER", request.param)
    top = tmp_path / "checkout"
    (top / ".git").mkdir(parents=True)
    (top / "sub").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "victim").write_text(VICTIM, encoding="utf-8")
    with chdir(top):
        yield top


LINKS = {
    "a file": ("gate.sarif", "../outside/victim", "gate.sarif"),
    "a file by its absolute path": ("gate.sarif", "{top}/../outside/victim", "gate.sarif"),
    "a file within": ("gate.sarif", "sub/../.git/config", "gate.sarif"),
    "a link to nothing": ("gate.sarif", "../outside/new", "gate.sarif"),
    "a folder": ("reports", "../outside", "reports/victim"),
    "a folder within": ("reports", ".git", "reports/config"),
    "a folder deep down": ("sub/reports", "../../outside", "sub/reports/victim"),
    "a folder of folders": ("sub/a", "../../outside", "sub/a/../a/victim"),
    "itself": ("gate.sarif", "gate.sarif", "gate.sarif"),
    "the checkout": ("loop", ".", "loop/new"),
    "an absolute name": ("gate.sarif", "../outside/victim", "{top}/gate.sarif"),
    "an absolute name through a folder": ("reports", "../outside", "{top}/reports/victim"),
    "a device": ("gate.sarif", "/dev/stdout", "gate.sarif"),
}


@pytest.mark.crossed
@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("append", [True, False])
@pytest.mark.parametrize("folder", [".", "sub"])
def test_a_link_of_the_checkout_is_never_written_through(
    checkout: Path, name: str, append: bool, folder: str
) -> None:
    place, target, path = (part.format(top=checkout) for part in LINKS[name])
    (checkout / place).symlink_to(target)
    before = sorted(checkout.parent.rglob("*"))

    with chdir(folder), pytest.raises(OSError, match="link in the checkout") as error:
        open_to_write(
            path if path.startswith("/") else os.path.relpath(checkout / path), append=append
        )

    assert error.value.strerror == LINKED
    assert (checkout.parent / "outside" / "victim").read_text(encoding="utf-8") == VICTIM
    assert sorted(checkout.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "path",
    [
        "gate.sarif",
        "sub/gate.sarif",
        "../outside/new",
        "{top}/new",
        "{top}/../outside/new",
        "{alias}/new",
        "{alias}/sub/new",
        "{link}/new",
        "{top}/../outside/to-victim",
    ],
)
def test_what_a_person_names_is_written(checkout: Path, path: str) -> None:
    (checkout.parent / "alias").symlink_to(checkout)
    (checkout.parent / "link").symlink_to("outside")
    (checkout.parent / "outside" / "to-victim").symlink_to("victim")
    named = path.format(
        top=checkout, alias=checkout.parent / "alias", link=checkout.parent / "link"
    )

    with open_to_write(named) as file:
        file.write(b"one\n")
    with open_to_write(named, append=True) as file:
        file.write(b"two\n")

    assert Path(named).read_bytes() == b"one\ntwo\n"


def test_folders_are_made_where_they_are_requested(checkout: Path) -> None:
    for path in (Path("a/b/file"), checkout.parent / "outside" / "c" / "file"):
        with open_to_write(path, folders=True) as file:
            file.write(b"x")
        assert path.read_bytes() == b"x"
    with pytest.raises(FileNotFoundError):
        open_to_write("no/folder/file")


def test_a_folder_that_becomes_a_link_after_it_was_examined_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "reports").symlink_to("outside")
    (tmp_path / "file").symlink_to("outside/file")
    monkeypatch.setattr(files, "_is_linked", lambda *_: False)

    with chdir(tmp_path):
        for path in ("reports/file", "file"):
            with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
                open_to_write(path)

    assert not list((tmp_path / "outside").iterdir())


def test_devices_can_be_named() -> None:
    with open_to_write("/dev/null") as file:
        assert file.write(b"x") == 1
