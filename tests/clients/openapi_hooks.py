"""What schemathesis is told besides the description: what may not stand together, and how bodies of lines are made.

OpenAPI has no words for parameters that are for one form of an answer or a body, or that exclude each other, for a cursor that
has to be of this log, or for lengths in bytes; the description says them in its texts. Each run is of one form, and its
parameters are taken out where they are not meant. The rest is mended in data that is meant to be right; what is meant to be
refused is sent as it is.
"""

import json
import os
import re
from urllib.parse import quote

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

# `page`, `array`, `stream` or `binary`.
FORM = os.environ["FEEDWIRE_FORM"]

NOT_OF = {
    "page": ["heartbeat", "lastEventId", "timeout"],
    "array": ["heartbeat"],
    "stream": ["bytes", "wait", "lastEventId", "timeout", "If-None-Match"],
    "binary": ["heartbeat"],
}
PAGE_EVENTS_MAX = 1_000
URL_BYTES_MAX = 2_048
# The test publishes so many events before.
POSITIONS = 3

NAMES = st.from_regex(r"[A-Za-z0-9-][A-Za-z0-9._-]{0,20}", fullmatch=True)
# All of one subject, of which something may be expected.
EVENTS = st.fixed_dictionaries({"type": NAMES, "subject": st.just("one")}, optional={"data": st.integers()})
LINES = st.lists(EVENTS, min_size=1, max_size=20).map(
    lambda events: "".join(json.dumps(event) + "\n" for event in events).encode()
)
for media_type in ("application/x-ndjson", "application/ndjson"):
    schemathesis.openapi.media_type(media_type, LINES)
# A media type has one strategy: here this one stands for bodies of entities, and the others for those of events.
STATES = "application/jsonl"
ENTITIES = st.lists(st.fixed_dictionaries({"subject": NAMES, "data": st.dictionaries(NAMES, st.integers())}), min_size=1, max_size=20)
schemathesis.openapi.media_type(
    STATES, ENTITIES.map(lambda entities: "".join(json.dumps(entity) + "\n" for entity in entities).encode())
)
schemathesis.openapi.media_type("application/octet-stream", st.binary(max_size=100))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    feed = raw_schema["paths"]["/v1/projects/{project}/feeds/{feed}"]
    for operation in (feed["get"], feed["head"]):
        parameters = operation["parameters"]
        operation["parameters"] = [one for one in parameters if one["name"] not in NOT_OF[FORM]]
        if FORM != "stream":
            limit = next(one for one in parameters if one["name"] == "limit")
            limit["schema"]["maximum"] = PAGE_EVENTS_MAX
    for path in raw_schema["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "security" in operation:
                # The run proves who it is by a header, and only one proof is taken.
                operation["security"] = [{"bearer": []}]
    content = raw_schema["paths"]["/v1/projects/{project}/feeds/{feed}/entities"]["post"]["requestBody"]["content"]
    for media_type in [one for one in content if one != STATES]:
        del content[media_type]
    publish = raw_schema["paths"]["/v1/projects/{project}/feeds/{feed}/events"]["post"]
    if FORM == "binary":
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        publish["requestBody"]["content"] = content
        for one in publish["parameters"]:
            one["required"] = one["name"] == "ce-type"
    else:
        for media_type in ("*/*", STATES):
            del publish["requestBody"]["content"][media_type]
        publish["parameters"] = [one for one in publish["parameters"] if not one["name"].startswith("ce-")]


@schemathesis.hook
def before_call(context, case, kwargs):
    name = case.operation.definition.raw.get("operationId")
    if name == "read" and FORM == "stream":
        # Without an end, a stream is followed for ever.
        case.query.setdefault("until", "now")
    keep_within_an_address(case.query)
    keep_inside(case.body)
    if name == "replaceProjectLimits":
        mend_limits(case.body)
    if case.meta is None:
        return
    if case.meta.generation.mode is not GenerationMode.POSITIVE:
        if is_lines(case):
            # What is made of these is always right.
            case.body += b'{"type":7}\n'
        return
    mend_texts(case)
    if name in ("read", "head"):
        mend_reading(case)
    elif name == "publish":
        mend_publishing(case)
    elif name == "startLoad" or case.operation.path.endswith("/entities"):
        mend_choice(case)
    elif name in ("putEntity", "patchEntity", "deleteEntity"):
        # A change is made on one condition, and what is not there is deleted on none.
        case.headers.pop("If-None-Match", None)
        # Of a pattern that has no shortest value, schemathesis takes the empty one for good.
        if name == "deleteEntity" or not case.headers.get("If-Match", "*"):
            case.headers.pop("If-Match", None)
    elif name in ("createCredential", "changeCredential"):
        mend_credential(case.body)
    elif name == "createProject":
        # A child takes a parent.
        case.body["name"] = case.body["name"].replace(".", "-")
    elif name in ("createStream", "changeStream", "seekStream"):
        mend_stream(case.body)
    elif name in ("createConnector", "changeConnector"):
        mend_stream(case.body)
        mend_connector(case.body)
    elif name == "replay":
        # What is between these ends, of the connectors that there may be by then.
        case.body |= {"from": "start", "until": None}
    elif name == "joinStream":
        # The one that the test has made.
        case.path_parameters["name"] = "joined"


def is_lines(case):
    return isinstance(case.body, bytes) and FORM != "binary"


def keep_inside(body):
    """What is tried here calls nobody: nobody listens at the first port of this machine."""
    url = body.get("url") if isinstance(body, dict) else None
    if isinstance(url, str) and re.fullmatch(r"https?://[!-~]+", url) and len(url) <= URL_BYTES_MAX:
        body["url"] = "https://127.0.0.1:1/"


def keep_within_an_address(query):
    """A thousand of the longest subjects are a request whose head no server reads."""
    for name, values in query.items():
        if isinstance(values, list) and len(quote("".join(map(str, values)))) > 8_000:
            query[name] = values[:20]


def mend_texts(case):
    """A text of so many characters may have four times as many bytes."""
    case.path_parameters = shortened(case.path_parameters)
    case.query = shortened(case.query)
    if isinstance(case.body, (dict, list)):
        case.body = shortened(case.body)


def shortened(value):
    if isinstance(value, dict):
        return {shortened(name): shortened(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shortened(inner) for inner in value]
    if isinstance(value, str) and not value.isascii():
        return value[:64]
    return value


def mend_limits(limits):
    """A limit that is kept would refuse what comes behind it, also where something else is what is wrong."""
    if isinstance(limits, dict):
        for name, limit in limits.items():
            if isinstance(limit, (int, float)) and 1 <= limit < 1_000_000:
                limits[name] = 1_000_000


def mend_credential(credential):
    """What is granted has to be of its home, and its end is still to come."""
    if credential.get("grants"):
        credential["grants"] = [{"project": "default", "rights": ["read"], "feeds": ["orders", "invoices.*"]}]
    if credential.get("expires_at"):
        credential["expires_at"] = "2100-01-01T00:00:00Z"


def mend_stream(body):
    """A stream begins in the past of the log, and has no more members than partitions, of which it may have but one."""
    filter = body.get("filter")
    if filter and filter.get("expression") is not None:
        filter["expression"] = "position > 0"
    for name in ("start", "to"):
        if body.get(name) not in (None, "now"):
            body[name] = "start"
    if body.get("members_max") is not None:
        body["members_max"] = min(body["members_max"], body.get("partitions") or 1)


def mend_connector(connector):
    """Some settings are bound to others, and headers that say how or what is sent are not for users."""
    if connector.get("stream") is not None:
        del connector["stream"]
    if connector.get("batch_size") is not None:
        connector["format"] = "batch"
    elif "format" in connector:
        connector["format"] = "structured"
    if connector.get("retry_most") is not None or connector.get("retry_first") is not None:
        connector |= {"retry_first": "10ms", "retry_most": "20ms"}
    if connector.get("headers"):
        connector["headers"] = {"x-key": "value"}


def mend_reading(case):
    query, headers = case.query, case.headers
    if "filter" in query:
        query["filter"] = "position > 0"
    if "after" in query:
        query["after"] = of_this_log(query["after"])
        query.pop("from", None)
    for place, name in ((query, "lastEventId"), (headers, "Last-Event-ID")):
        if place.get(name, "") not in ("", "null"):
            place[name] = of_this_log(place[name])
    if FORM == "array" and query.get("from") == "state":
        query.pop("from")
    if any("state" in place.get(name, "") for place, name in ((query, "from"), (query, "after"), (headers, "Last-Event-ID"))):
        # States are of one type.
        query.pop("types", None)
    if case.path_parameters["feed"] != "_all":
        query.pop("feeds", None)
    if FORM == "array" and query.get("from") == "now":
        # An empty array does not say where to go on.
        query.pop("from")
    if "timeout" in query:
        query["timeout"] = 0
        query.pop("wait", None)
    if "wait" in query:
        query["wait"] = "0s"
    if FORM == "stream":
        query["until"] = "now"


def of_this_log(cursor):
    *states, position = cursor.removesuffix(":").split(":")
    position = str(int(position) % (POSITIONS + 1))
    # In an array nobody goes on among states.
    return f"state:{position}:" if states and FORM != "array" else position


def mend_choice(case):
    """Feeds are named at `_all` alone, where an entity is named with its feed; and an expression is no text of any kind."""
    chosen = case.query if case.body is None or not isinstance(case.body, dict) else case.body
    if case.path_parameters["feed"] != "_all":
        chosen.pop("feeds", None)
    elif "after" in case.query:
        case.query["after"] = "orders/one"
    if chosen.get("filter") is not None:
        chosen["filter"] = "position > 0"


def mend_publishing(case):
    for name in ("ce-id", "ce-source", "ce-subject", "Idempotency-Key"):
        if name in case.headers:
            # Of what headers can bear, what needs no escapes.
            case.headers[name] = "".join(filter(str.isalnum, quote(case.headers[name])))[:60] or "x"
    if FORM == "binary":
        if "expect" in case.query:
            case.headers["ce-subject"] = "one"
        return
    if isinstance(case.body, list):
        for number, event in enumerate(case.body):
            if event.get("id") is not None:
                event["id"] = f"{event['id'][:64]}-{number}"
    if "expect" in case.query:
        if case.body == []:
            del case.query["expect"]
        elif isinstance(case.body, list):
            case.body = [event | {"subject": "one"} for event in case.body]
        elif isinstance(case.body, dict):
            case.body = case.body | {"subject": "one"}
