"""The words of an expression, and the functions that it may call, by engine.

No word may read more than the row, and only some may be called.

The same arguments give the same value at any time, in about the time and memory that the arguments
need: no function reads other data, the clock, settings or random numbers, sleeps, raises errors, or
makes a text longer than its arguments (repeat, lpad, replace, format). Tests check with the engines
that each function exists and has a constant result.
"""

import re
from collections.abc import Sequence
from typing import Final

from gate.backends.sql.tokens import SqlToken, TokenError

_CASTS: Final = """
cast decimal numeric varchar char
"""
_KEYWORDS: Final = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "case",
        "when",
        "then",
        "else",
        "between",
        "like",
        "ilike",
        "is",
        "as",
        "from",
        "by",
        "distinct",
    ]
)
"""Words before a bracket that are not calls."""
_COMMON: Final = """
abs ceil ceiling floor round sign sqrt ln log coalesce nullif greatest least
lower upper trim ltrim rtrim length char_length substring left right position concat concat_ws
reverse ascii cast extract date_trunc
"""
_CLICKHOUSE: Final = """
if multiIf ifNull isNull isNotNull isZeroOrNull assumeNotNull toNullable accurateCast
accurateCastOrNull accurateCastOrDefault
equals notEquals less greater lessOrEquals greaterOrEquals xor
plus minus multiply divide intDiv intDivOrZero modulo moduloOrZero positiveModulo negate
isNaN isFinite isInfinite ifNotFinite trunc truncate roundBankers roundDown log2 log10 cbrt exp exp2
exp10 pow power max2 min2 bitAnd bitOr bitXor bitTest bitTestAny bitTestAll bitCount
empty notEmpty lengthUTF8 lowerUTF8 upperUTF8 substringUTF8 substringIndex startsWith endsWith
positionCaseInsensitive positionUTF8 locate notLike notILike match multiMatchAny multiSearchAny
multiSearchAnyCaseInsensitive countSubstrings extractAll extractGroups hasToken
hasTokenCaseInsensitive
trimBoth trimLeft trimRight splitByChar splitByString splitByRegexp alphaTokens reverseUTF8 concat
domain domainWithoutWWW path protocol
topLevelDomain extractURLParameter cutQueryString
decodeURLComponent isValidUTF8 isValidJSON hex unhex base64Decode cityHash64 sipHash64
xxHash64 MD5 SHA256
toString toBool toInt8 toInt16 toInt32 toInt64 toInt128 toInt256 toUInt8 toUInt16 toUInt32 toUInt64
toUInt128 toUInt256 toFloat32 toFloat64 toInt8OrNull toInt16OrNull toInt32OrNull toInt64OrNull
toUInt8OrNull toUInt16OrNull toUInt32OrNull toUInt64OrNull toFloat32OrNull toFloat64OrNull
toInt8OrZero toInt16OrZero toInt32OrZero toInt64OrZero toUInt8OrZero toUInt16OrZero toUInt32OrZero
toUInt64OrZero toFloat32OrZero toFloat64OrZero toDecimal32 toDecimal64 toDecimal128
toDecimal32OrNull toDecimal64OrNull toDecimal128OrNull toUUID toUUIDOrNull
toDate toDate32 toDateTime toDateTime64 toDateOrNull toDateTimeOrNull toDateTime64OrNull
parseDateTimeBestEffort parseDateTimeBestEffortOrNull parseDateTime64BestEffort
parseDateTime64BestEffortOrNull toTimeZone toUnixTimestamp toUnixTimestamp64Milli
toUnixTimestamp64Micro toUnixTimestamp64Nano fromUnixTimestamp fromUnixTimestamp64Milli
fromUnixTimestamp64Micro fromUnixTimestamp64Nano toYear toQuarter toMonth toWeek toISOWeek
toDayOfYear toDayOfMonth toDayOfWeek
toHour toMinute toSecond toMillisecond toYYYYMM toYYYYMMDD toStartOfYear
toStartOfMonth toStartOfWeek toStartOfDay toStartOfHour toStartOfMinute toStartOfSecond
toStartOfFiveMinutes toStartOfTenMinutes toStartOfFifteenMinutes toStartOfInterval toMonday
dateDiff date_diff age dateAdd dateSub addSeconds addMinutes addHours addDays addWeeks addMonths
addYears subtractSeconds subtractMinutes subtractHours subtractDays subtractWeeks subtractMonths
subtractYears formatDateTime dateTrunc toIntervalSecond toIntervalMinute toIntervalHour
toIntervalDay
JSONHas JSONLength JSONType JSONExtract JSONExtractBool JSONExtractInt JSONExtractUInt
JSONExtractFloat JSONExtractString JSONExtractRaw JSONExtractArrayRaw JSONExtractKeys JSON_VALUE
JSON_EXISTS simpleJSONHas simpleJSONExtractBool simpleJSONExtractInt simpleJSONExtractUInt
simpleJSONExtractFloat simpleJSONExtractString simpleJSONExtractRaw visitParamHas
visitParamExtractBool visitParamExtractInt visitParamExtractUInt visitParamExtractFloat
visitParamExtractString visitParamExtractRaw
has hasAny hasAll indexOf countEqual arrayElement arrayMin arrayMax arraySum arrayAvg arrayUniq
arrayStringConcat mapContains mapKeys mapValues tupleElement
Nullable LowCardinality DateTime64 DateTime Decimal FixedString
"""
_POSTGRES: Final = """
any trunc mod div cbrt log10 width_bucket scale num_nulls num_nonnulls isfinite
character_length octet_length bit_length substr btrim strpos split_part starts_with initcap chr md5
regexp_like regexp_match regexp_count regexp_substr regexp_instr translate overlay
to_char to_date to_timestamp to_number date_part date_bin make_date make_time make_timestamp
make_timestamptz make_interval timezone justify_days justify_hours justify_interval
array array_length array_position array_ndims cardinality
json_typeof jsonb_typeof json_array_length jsonb_array_length json_extract_path
json_extract_path_text jsonb_extract_path jsonb_extract_path_text jsonb_strip_nulls
encode decode timestamp timestamptz time float
"""
_SPARK: Final = """
if ifnull nvl nvl2 isnull isnotnull isnan nanvl try_cast decode
bround rint mod pmod log2 log10 log1p exp expm1 pow power cbrt signum negative positive
try_add try_subtract try_multiply try_divide bit_count bit_length octet_length
lcase ucase character_length len substr substring_index split split_part instr locate
startswith endswith contains btrim initcap translate regexp_like regexp_extract regexp_count
regexp_instr regexp_substr rlike like ilike soundex levenshtein unhex hex base64 unbase64 encode
md5 sha1 sha2 crc32 hash xxhash64 parse_url try_parse_url url_decode
boolean tinyint smallint int bigint float double date timestamp string
year quarter month day dayofmonth dayofweek weekday dayofyear weekofyear hour minute second
date_part datepart trunc date_format to_date to_timestamp try_to_timestamp to_timestamp_ntz
to_timestamp_ltz unix_timestamp to_unix_timestamp from_unixtime unix_seconds unix_millis unix_micros
timestamp_seconds timestamp_millis timestamp_micros date_add date_sub datediff date_diff
add_months months_between last_day make_date from_utc_timestamp to_utc_timestamp
get_json_object json_array_length json_object_keys
array size cardinality array_contains arrays_overlap array_position array_max array_min array_size
element_at try_element_at map_contains_key map_keys map_values
"""
_PREDICATES: Final = """
isnull isnotnull iszeroornull equals notequals less greater lessorequals greaterorequals and or
not xor isnan isfinite isinfinite empty notempty startswith endswith like ilike notlike notilike
match multimatchany multisearchany multisearchanycaseinsensitive hastoken hastokencaseinsensitive
isvalidutf8 isvalidjson jsonhas jsonextractbool json_exists simplejsonhas simplejsonextractbool
visitparamhas visitparamextractbool has hasany hasall mapcontains bittest bittestany bittestall
tobool
"""
FUNCTIONS: Final = {
    dialect: frozenset((names + _COMMON + _CASTS).lower().split()) | _KEYWORDS
    for dialect, names in (
        ("clickhouse", _CLICKHOUSE),
        ("postgres", _POSTGRES),
        ("spark", _SPARK),
    )
}
"""Names in lower case, with the keywords that may be before a bracket."""
PREDICATES: Final = frozenset(_PREDICATES.split())
"""ClickHouse's functions that return a truth value as a small number."""
_READERS: Final = """
select table values exists over union intersect except lateral user current_user session_user
system_user current_role current_catalog current_schema current_database current_date current_time
current_timestamp localtime localtimestamp
"""
_FORBIDDEN: Final = frozenset(_READERS.split())
"""Words that read other data, the clock or the user, even without brackets."""
_COLUMNS: Final = {"clickhouse": {"user"}}
"""The forbidden words that are ordinary names in an engine."""
_OF_THE_DAY: Final = re.compile(
    r"'.*(?<![A-Za-z])(?:now|today|tomorrow|yesterday)(?![A-Za-z]).*'",
    re.IGNORECASE | re.DOTALL,
)
"""Texts that PostgreSQL and Spark read as the current time if a time is expected.

PostgreSQL ignores any other sign: it reads 'now!' as a time."""
_AGGREGATES: Final = frozenset({"count", "sum", "avg", "min", "max", "countif", "sumif"})
"""The usual aggregates; the others are refused like any other function."""
_LONGEST_TIME: Final = 130
"""The most characters of a text that PostgreSQL reads as a time (MAXDATELEN is 128)."""
_MAY_FOLLOW: Final = frozenset({"like", "ilike", "rlike", "regexp", "~", "~*", "!~", "!~*"})
"""Words after which no time is expected ..."""
_OF_JSON: Final = frozenset({"->", "->>", "#>", "#>>", "?"})
"""... nor after these."""
_NOTHING: Final = SqlToken("nothing", "", 0)


def check_words(tokens: Sequence[SqlToken], dialect: str) -> None:
    """Raise an error for words and calls that may depend on more than the row.

    Raises:
        TokenError: there is such a word or call; the message has the remedy.
    """
    around = zip([_NOTHING, *tokens], tokens, [*tokens[1:], _NOTHING], strict=False)
    for before, token, after in around:
        if token.kind == "word":
            _check_word(before, token, dialect)
        if token.kind in {"word", "name"} and after.is_sign("("):
            _check_call(before, token, dialect)
        if token.kind == "string" and dialect != "clickhouse":
            _check_text(before, token)
        _check_sign(before, token, after, dialect)


def _check_sign(before: SqlToken, token: SqlToken, after: SqlToken, dialect: str) -> None:
    if token.is_sign("(") and after.is_sign(")"):
        reason = "the brackets are empty, so that it is not about the row; remove it"
        raise TokenError(reason, token.place)
    if token.is_sign(".") and dialect == "postgres":
        reason = "there is a point between names; write the column's name alone, or use ->>"
        raise TokenError(reason, token.place)
    of_a_number = before.kind in {"word", "name", "number", "string"} or before.is_sign(")", "]")
    if token.text == "*" and not of_a_number:
        raise TokenError("it holds a star; name the column", token.place)


def _check_word(before: SqlToken, token: SqlToken, dialect: str) -> None:
    if token.lower not in _FORBIDDEN - _COLUMNS.get(dialect, set()) or before.is_sign("."):
        return
    reason = f"{token.text} may read more than the row; put it in quotes if it is a column's name"
    raise TokenError(reason, token.place)


def _check_call(before: SqlToken, token: SqlToken, dialect: str) -> None:
    if before.is_sign("."):
        raise TokenError(f"{token.text} is called with its schema; leave that out", token.place)
    if token.lower in _AGGREGATES:
        reason = f"{token.text}() is about many rows; write a condition about one: the gate counts"
        raise TokenError(reason, token.place)
    if token.kind == "name" or token.lower not in FUNCTIONS[dialect]:
        raise TokenError(
            f"{token.text}() is not among the functions that may be called: those that give for the"
            " same row the same value, and need no more time and memory than the row has; use a"
            " comparison, CASE, or a function of numbers, texts, times or JSON",
            token.place,
        )


def _check_text(before: SqlToken, token: SqlToken) -> None:
    is_short = len(token.text) <= _LONGEST_TIME
    if before.lower in _MAY_FOLLOW | _OF_JSON or not is_short:
        return
    if not _OF_THE_DAY.fullmatch(token.text):
        return
    reason = "may be the time of the clock for the engine; write a time, or LIKE for a text"
    raise TokenError(f"{token.text} {reason}", token.place)
