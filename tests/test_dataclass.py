"""`gate.dataclass` makes classes that do what those of the standard library do."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from functools import cached_property
from pprint import pformat
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from gate import dataclass as ours

T = TypeVar("T")
Decorate = Callable[..., Any]


def point(decorate: Decorate) -> Any:
    @decorate(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2
        name: str = dataclasses.field(default="p", compare=False, kw_only=True)
        secret: str = dataclasses.field(default="hunter2", repr=False)
        tags: list[str] = dataclasses.field(default_factory=list)
        kind: ClassVar[str] = "point"

    return Point


def counter(decorate: Decorate) -> Any:
    @decorate(slots=True, kw_only=True)
    class Counter:
        """Counts."""

        start: int
        total: int = dataclasses.field(init=False)
        seen: list[int] = dataclasses.field(init=False, default_factory=list)
        step: int = dataclasses.field(init=False, default=3)

        def __post_init__(self) -> None:
            self.total = self.start + self.step

    return Counter


@pytest.fixture(params=["standard", "ours", "ours, compiled at once"])
def decorate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Decorate:
    """The standard library's decorator, and the gate's with each of its two kinds of init."""
    if request.param == "standard":
        return dataclasses.dataclass
    if request.param != "ours":
        monkeypatch.setattr(ours, "_FEW", 0)
    return ours.dataclass


@ours.dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """At the module's level, where pickle finds it."""

    first: T
    second: T


def test_init_takes_fields_by_place_by_name_and_by_default(decorate: Decorate) -> None:
    make = point(decorate)
    some = make(1, name="q", tags=["a"])

    assert (some.x, some.y, some.name, some.secret, some.tags) == (1, 2, "q", "hunter2", ["a"])
    assert make(1).tags is not make(1).tags


@pytest.mark.parametrize(
    ("arguments", "named", "reason"),
    [
        ((), {}, "missing 1 required positional"),
        ((1, 2, "three", [], "name"), {}, "positional argument"),
        ((1,), {"x": 1}, "multiple values for argument 'x'"),
        ((1,), {"z": 1}, "unexpected keyword argument 'z'"),
        ((1,), {"self": 1}, "multiple values for argument 'self'"),
    ],
)
def test_other_arguments_than_the_fields_are_refused(
    decorate: Decorate, arguments: tuple[Any, ...], named: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TypeError, match=rf"Point\.__init__\(\).* {reason}"):
        point(decorate)(*arguments, **named)


def test_fields_outside_init_get_their_defaults_and_what_post_init_gives(
    decorate: Decorate,
) -> None:
    some = counter(decorate)(start=4)

    assert (some.start, some.total, some.seen, some.step) == (4, 7, [], 3)
    some.total = 9
    assert some.total == 9
    assert some != counter(decorate)(start=4)
    with pytest.raises(TypeError, match="unhashable"):
        hash(some)


def test_repr_comparison_and_hash_leave_out_the_fields_that_say_so(decorate: Decorate) -> None:
    make = point(decorate)

    assert repr(make(1)).endswith("Point(x=1, y=2, name='p', tags=[])")
    assert make(1) == make(1, name="other")
    assert make(1) != make(2)
    assert make(1) != (1, 2)
    assert hash(make(1, tags=())) == hash(make(1, tags=(), name="other"))


def test_a_frozen_instance_refuses_changes_and_replace_makes_another(decorate: Decorate) -> None:
    some = point(decorate)(1)

    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        some.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del some.x
    assert dataclasses.replace(some, x=5).x == 5
    names = ["x", "y", "name", "secret", "tags"]
    assert [field.name for field in dataclasses.fields(some)] == names
    match some:
        case object(x=1, y=2):
            pass
        case _:
            pytest.fail("match does not see the fields")
    assert point(decorate).__match_args__ == ("x", "y", "secret", "tags")


def test_a_subclass_adds_fields_and_is_equal_to_its_own_kind_only(decorate: Decorate) -> None:
    @decorate(frozen=True, slots=True, kw_only=True)
    class Base:
        """Has one field."""

        x: int

    @decorate(frozen=True, slots=True, kw_only=True)
    class Derived(Base):
        """Has another."""

        y: int = 0

    base: Any = Base
    derived: Any = Derived
    assert (derived(x=1).x, derived(x=1, y=2).y) == (1, 2)
    assert base(x=1) != derived(x=1)
    assert derived(x=1) == derived(x=1, y=0)
    assert not hasattr(base(x=1), "__dict__")


@pytest.mark.parametrize("slots", [False, True])
def test_a_field_of_a_base_can_be_annotated_anew(decorate: Decorate, slots: bool) -> None:
    @decorate(slots=slots)
    class Base:
        """Has a default of one of its fields."""

        x: int
        y: int = 2
        tags: list[str] = dataclasses.field(default_factory=list)
        note: str = dataclasses.field(default="none", repr=False)

    @decorate(slots=slots)
    class Derived(Base):
        """Says of one what it is, which has a default where the class has an attribute for it."""

        y: int
        __match_args__ = ("y",)

    base: Any = Base
    derived: Any = Derived
    assert (base(1).x, base(1).y, base(1).tags) == (1, 2, [])
    assert (derived(1, 3).x, derived(1, 3).y, derived(1, 3).tags) == (1, 3, [])
    assert derived.__match_args__ == ("y",)
    assert (hasattr(base, "tags"), getattr(base, "note", 0) == "none") == (slots, not slots)
    if not slots:
        assert derived(1).y == 2


def test_the_standard_library_sees_a_class_of_its_own_kind(decorate: Decorate) -> None:
    make = counter(decorate)
    some = make(start=4)

    assert dataclasses.is_dataclass(make)
    assert dataclasses.asdict(some) == {"start": 4, "total": 7, "seen": [], "step": 3}
    assert dataclasses.replace(some, start=5).total == 8
    assert "start=4" in pformat(some)
    assert {field.kw_only for field in dataclasses.fields(make)} == {True}


def test_the_methods_that_a_class_writes_itself_stay(decorate: Decorate) -> None:
    @decorate(frozen=True)
    class Named:
        """Compares by its first letter."""

        name: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Named) and self.name[0] == other.name[0]

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "named"

        @cached_property
        def length(self) -> int:
            return len(self.name)

    make: Any = Named
    assert make("ab") == make("ac")
    assert (hash(make("ab")), repr(make("ab")), make("abc").length) == (7, "named", 3)


def test_instances_can_be_sorted_where_that_is_wanted(decorate: Decorate) -> None:
    @decorate(frozen=True, slots=True, order=True)
    class Version:
        """A version of something."""

        major: int
        minor: int = 0

    make: Any = Version
    unsorted = [make(2), make(1, 5), make(1)]
    assert sorted(unsorted) == [make(1), make(1, 5), make(2)]
    with pytest.raises(TypeError, match="not supported between"):
        sorted([make(1), 1])


def test_a_class_without_fields_and_without_a_docstring_works(decorate: Decorate) -> None:
    @decorate
    class Nothing:
        pass

    assert Nothing() == Nothing()
    assert Nothing.__doc__


def test_copies_and_pickles_are_equal() -> None:
    pair = Pair("a", "b")

    assert copy.copy(pair) == copy.deepcopy(pair) == pickle.loads(pickle.dumps(pair)) == pair
