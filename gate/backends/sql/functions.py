"""The functions that an expression may call, by engine.

The same arguments give the same value at any time, in about the time and memory that the arguments
need: no function reads other data, the clock, settings or random numbers, sleeps, raises errors, or
makes a text longer than its arguments (repeat, lpad, replace, format). Tests check with the engines
that each function exists and has a constant result.
"""

from typing import Final

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
