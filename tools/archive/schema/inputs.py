"""Input objects and enums that several Archive tools share, under the names of Archive's schema."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from server.archive.attributes import is_select
from server.archive.context import ArchiveContext
from server.archive.operations import InWorkspace, Text
from server.archive.records import Entity
from server.dates import is_day, to_instant
from server.tool.decoding import parse_json
from server.tool.request import ApiType, Input, Meaning

Provider = Annotated[Literal["INSTAGRAM", "TIKTOK", "YOUTUBE", "INTERNAL"], ApiType("Provider")]
SortOrder = Annotated[Literal["ASC", "DESC"], ApiType("SortOrder")]
Instant = Annotated[str, ApiType("DateTime")]


def _plain_day(text: str) -> str:
    if not is_day(text):
        raise ValueError(f"{text!r} is not a plain day: write it as 2026-03-01, without a time.")
    try:
        # The shape alone does not refuse a 30th of February.
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError(f"{text!r} is not a day of the calendar.") from None


Day = Annotated[str, ApiType("DateWithZone"), AfterValidator(_plain_day)]
"""A day, which Archive reads in its own zone (Archive docs, schema)."""

Operator = Annotated[
    Literal[
        "IS",
        "IS_NOT",
        "CONTAINS",
        "CONTAINS_ALL",
        "DOES_NOT_CONTAIN",
        "STARTS_WITH",
        "ENDS_WITH",
        "EQUAL",
        "NOT_EQUAL",
        "LESS_THAN",
        "LESS_THAN_OR_EQUAL",
        "MORE_THAN",
        "MORE_THAN_OR_EQUAL",
        "BETWEEN",
        "IS_EMPTY",
        "IS_NOT_EMPTY",
        "IS_RELATIVE_TO_TODAY",
    ],
    ApiType("FilterOperator"),
]
AttributeType = Annotated[
    Literal[
        "TEXT",
        "TEXT_LIST",
        "EMAIL",
        "PHONE",
        "URL",
        "NUMBER",
        "NUMBER_LIST",
        "BOOLEAN",
        "BOOLEAN_LIST",
        "DATE",
        "DATE_LIST",
        "DATETIME",
        "DATETIME_LIST",
        "SINGLE_SELECT_V2",
        "SINGLE_SELECT_V3",
        "MULTIPLE_SELECT",
        "MULTIPLE_SELECT_V2",
        "SHIPPING_ADDRESS",
    ],
    ApiType("CustomAttributeType"),
]

NO_SUCH_PLACE = "Places count only in Archive's exact spelling, upper and lower case included."
"""A note that explains why a search by place may find nothing."""

ABOUT_CONDITIONS = (
    "{customAttributeSchemas} has the keys, types and options that conditions take. Text takes "
    "IS, IS_NOT, CONTAINS, "
    "STARTS_WITH and the like; a single select IS and IS_NOT with one option; multiple selects "
    "and lists CONTAINS and "
    "CONTAINS_ALL; numbers and dates EQUAL, MORE_THAN, BETWEEN and the like; each IS_EMPTY and "
    "IS_NOT_EMPTY."
)
"""What to do about a condition that Archive refuses (Archive docs, custom attributes)."""

_WITHOUT_VALUE = ("IS_EMPTY", "IS_NOT_EMPTY")
_WITH_FIELDS = ("BETWEEN", "IS_RELATIVE_TO_TODAY")
# What begins the JSON text of a value, by the type of its attribute; other types are plain text.
_OPENINGS: dict[str, str] = {
    "NUMBER": "-0123456789[",
    "NUMBER_LIST": "-0123456789[",
    "BOOLEAN": "tf[",
    "BOOLEAN_LIST": "tf[",
    "TEXT_LIST": "[",
    "DATE_LIST": "[",
    "DATETIME_LIST": "[",
    "SINGLE_SELECT_V2": "[",
    "SINGLE_SELECT_V3": "[",
    "MULTIPLE_SELECT": "[",
    "MULTIPLE_SELECT_V2": "[",
}


class FilterDateRangeInput(Input):
    """A span of time, both ends included; either may be left out."""

    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _in_utc(self, info: ValidationInfo) -> Self:
        # The zone comes with the call: "March" means the user's March, while Archive takes UTC.
        context = info.context or {}
        used: dict[str, str] = {}
        by_day = False
        for name, requested in (("from_", self.from_), ("to", self.to)):
            if requested is None:
                continue
            by_day |= is_day(requested)
            converted = to_instant(requested, context["timezone"], end_of_day=name == "to")
            setattr(self, name, converted)
            # `from` is a word of Python: the field has an underscore, the argument has none.
            used[name.rstrip("_")] = converted
        if not used:
            raise ValueError("give `from`, `to` or both.")
        # Both are UTC in one notation, so text compares as time does.
        if len(used) == 2 and used["from"] > used["to"]:
            raise ValueError(f"`from` ({used['from']}) is after `to` ({used['to']}).")
        if by_day:
            # A day became an instant by the zone: the result says which, so that the model can
            # check it.
            context["instants"].append(used)
        return self


class FilterIntegerRangeInput(Input):
    """A span of whole numbers, both ends included; either may be left out."""

    # GraphQL's Int has 32 bits: a larger number would be refused.
    from_: int | None = Field(None, alias="from", ge=-(2**31), le=2**31 - 1)
    to: int | None = Field(None, alias="to", ge=-(2**31), le=2**31 - 1)

    @model_validator(mode="after")
    def _some_span(self) -> Self:
        bounds = [bound for bound in (self.from_, self.to) if bound is not None]
        if not bounds:
            raise ValueError("give `from`, `to` or both.")
        if bounds != sorted(bounds):
            raise ValueError(f"`from` ({self.from_}) is greater than `to` ({self.to}).")
        return self


class LocationCanonicalInput(Input):
    """A place: the parts that are given must all fit, exactly as Archive spells them."""

    country: Text | None = None
    region: Text | None = None
    city: Text | None = None

    @model_validator(mode="after")
    def _some_part(self) -> Self:
        if not any((self.country, self.region, self.city)):
            raise ValueError("give `country`, `region` or `city`.")
        return self


class CustomAttributeConditionInput(Input):
    """A condition on a custom attribute."""

    field: Text = Field(description="`key` of the attribute.")
    operator: Operator
    type: AttributeType = Field(description="As its schema lists it.")
    value: Annotated[Any, Meaning("null")] = Field(
        None,
        description=(
            "For selects option name or id (multiple: CONTAINS); for BETWEEN {from,to}, "
            "for IS_RELATIVE_TO_TODAY {relation,period,offset}"
        ),
    )

    @model_validator(mode="after")
    def _value_as_meant(self) -> Self:
        # Listed as text, because some hosts take no field of several types: the attribute's own
        # type says what the text is.
        if isinstance(self.value, str):
            openings = _OPENINGS.get(self.type, "")
            if self.operator in _WITH_FIELDS:
                openings += "{"
            self.value = parse_json(self.value, openings)
        return self

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        # The schema allows it and the server does not (Archive docs, custom attributes).
        if self.type == "SHIPPING_ADDRESS":
            raise ValueError("Archive cannot filter by SHIPPING_ADDRESS.")
        if self.operator in _WITHOUT_VALUE:
            if self.value is not None:
                raise ValueError(f"{self.operator} takes no value.")
            return self
        if self.value is None:
            raise ValueError(f"{self.operator} needs a `value`.")
        # Names are allowed here and become ids before sending: Archive takes only the option's id.
        if is_select(self.type) and not _are_options(self.value):
            raise ValueError(
                f"{self.type} takes an option's name or id, or a list of them; got {self.value!r}."
            )
        # The schema has JSON here, so nothing but this check looks at the shape before sending.
        self._shape_fits()
        return self

    def _shape_fits(self) -> None:
        if self.operator == "BETWEEN" and not _has_keys(self.value, {"from", "to"}):
            raise ValueError('BETWEEN takes a value like {"from": 1, "to": 9}.')
        if self.operator == "IS_RELATIVE_TO_TODAY" and not _is_relative(self.value):
            raise ValueError(
                "IS_RELATIVE_TO_TODAY takes a value like "
                '{"relation": "past", "period": "week", "offset": 1}: '
                "relation past, this or next; period day, week, month or year."
            )


def is_narrow(choice: Input | None) -> bool:
    """Whether a filter leaves anything out: an empty one, which models like to send, does not."""
    return choice is not None and bool(choice.model_fields_set)


def _are_options(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(entry, str) and entry.strip() for entry in values)


def _has_keys(value: Any, keys: set[str]) -> bool:
    return isinstance(value, dict) and value.keys() == keys


def _is_relative(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and {"relation", "period"} <= value.keys() <= {"relation", "period", "offset"}
        and value["relation"] in ("past", "this", "next")
        and value["period"] in ("day", "week", "month", "year")
    )


Conditions = Annotated[
    list[CustomAttributeConditionInput],
    Field(description="Must all hold; archive_get_custom_attribute_schemas lists keys."),
]


class TakesConditions(InWorkspace):
    """A request with `customAttributeConditions`, its own or its `input`'s: options of selects may
    be named."""

    refused: ClassVar[str] = ABOUT_CONDITIONS
    conditions_on: ClassVar[Entity]
    """What the conditions' attributes are kept on."""

    @property
    def conditions(self) -> list[CustomAttributeConditionInput]:
        """The conditions, in their order."""
        # Searches carry conditions themselves, changes of views inside `input`.
        holder = getattr(self, "input", self)
        return getattr(holder, "custom_attribute_conditions", None) or []

    def describe_conditions(self) -> list[str]:
        """Return what an empty result calls each condition."""
        return [f"{condition.field} {condition.operator}" for condition in self.conditions]

    async def prepare(self, context: ArchiveContext) -> None:
        await context.attributes.translate(
            self.conditions, self.conditions_on, context.workspace, context.deadline
        )
