"""The vendor's own client saves, loads and deletes aggregates and keeps tenants, as it does with Serialized."""

import json
import uuid

import pytest
import requests

from serialized_client import SerializedClient, described
from serialized_pollers import KEY_HEADERS

ORDER, OTHER = "723ecfce-14e9-4889-98d5-a3d0ad54912f", "8d1f6a52-3c2f-4a6e-9d0c-2b8f9f2b7c11"
TENANT = "5d3a2c4e-0000-4000-8000-000000000001"
IN_TENANT = {"tenantId": TENANT}
PLACED, PAID = ["OrderPlaced", {"amount": 12345}], ["OrderPaid", {}]
WAS_PLACED = {"eventType": "OrderPlaced", "data": {"amount": 12345}}
WAS_PAID = {"eventType": "OrderPaid", "data": {}}


def payment(version, **options):
    """What `save` takes, for a payment that is expected to bring the order behind `version`."""
    return {"aggregateId": ORDER, "events": [WAS_PAID], "expectedVersion": version} | options


def loaded(client, order, options=None):
    """What has happened to an order, which is loaded for a command that does nothing."""
    outcome = client.orders("update", order, [], options)
    assert outcome.value == 0
    return outcome.states[0]


def entries(client, options=None):
    return client.feeds("loadFeed", {"feedName": "order"}, options).value["entries"]


def test_an_order_is_created_updated_and_loaded(client):
    created = client.orders("create", ORDER, [[*PLACED, "c2VjcmV0"]])
    assert (created.value, created.answer.status, created.answer.data) == (1, 200, "")
    updated = client.orders("update", ORDER, [PAID, PAID])
    assert (updated.value, updated.answers[-1].status, updated.answers[-1].data) == (2, 200, "")
    placed = WAS_PLACED | {"encryptedData": "c2VjcmV0"}
    assert updated.states == [[placed]]
    assert client.orders("save", payment(2)).value == 1
    assert loaded(client, ORDER) == [placed, *[WAS_PAID] * 3]


def test_a_history_is_loaded_page_by_page(client):
    """A page has as many versions as its limit says, with all events of each."""
    client.orders("create", ORDER, [PLACED, PAID])
    for version in range(1, 5):
        assert client.orders("save", payment(version)).value == 1
    outcome = client.orders("update", ORDER, [], {"limit": 2})
    assert outcome.states == [[WAS_PLACED, *[WAS_PAID] * 5]]
    pages = [json.loads(answer.data) for answer in outcome.answers]
    assert [(len(page["events"]), page["hasMore"]) for page in pages] == [(3, True), (2, True), (1, False)]
    assert {page["aggregateVersion"] for page in pages} == {5}
    assert loaded(client, ORDER, {"since": 3, "limit": 1}) == [WAS_PAID] * 2
    assert loaded(client, ORDER, {"since": 1}) == [WAS_PAID] * 4


def test_what_comes_second_is_a_conflict(client):
    assert client.orders("create", ORDER, [PLACED]).value == 1
    refused = client.orders("create", ORDER, [PLACED])
    assert (refused.error.name, refused.error.statusCode) == ("Conflict", 409)
    assert (refused.error.aggregateType, refused.error.aggregateId) == ("order", ORDER)
    assert json.loads(refused.answer.data)["code"] == 409
    refused = client.orders("update", ORDER, [PAID], meanwhile=described("orders", "save", payment(1)))
    assert refused.error.name == "Conflict"
    for version in [0, 1, 3]:
        assert client.orders("save", payment(version)).error.statusCode == 409
    assert loaded(client, ORDER) == [WAS_PLACED, WAS_PAID]


def test_an_update_that_comes_second_succeeds_when_it_is_tried_again(client):
    client.orders("create", ORDER, [PLACED])
    payments = described("orders", "save", payment(1))
    outcome = client.make("orders, again", "update", ORDER, [PAID], meanwhile=payments)
    assert outcome.value == 1
    assert outcome.states == [[WAS_PLACED], [WAS_PLACED, WAS_PAID]]
    assert [answer.status for answer in outcome.answers] == [200, 200, 409, 200, 200]


def test_batches_are_saved_all_or_none(client):
    """`bulkSave` keeps to itself that it was refused."""
    first = {"aggregateId": ORDER, "events": [WAS_PLACED, WAS_PAID], "expectedVersion": 0}
    second = {"aggregateId": OTHER, "events": [WAS_PLACED]}
    saved = client.orders("saveBulk", {"batches": [first, second]})
    assert (saved.value, saved.answer.status, saved.answer.data) == (3, 200, "")
    late, more = first | {"expectedVersion": 2}, second | {"expectedVersion": 1}
    assert client.orders("saveBulk", {"batches": [more, late]}).error.statusCode == 409
    refused = client.orders("bulkSave", [more, late])
    assert (refused.value, refused.answer.status) == (None, 409)
    assert loaded(client, OTHER) == [WAS_PLACED]
    assert client.orders("bulkSave", [more, late | {"expectedVersion": 1}]).value == 3
    assert loaded(client, ORDER) == [WAS_PLACED, WAS_PAID] * 2
    assert loaded(client, OTHER) == [WAS_PLACED] * 2


def test_a_bulk_update_which_does_not_say_of_what_is_refused_whole(client):
    """This version of the client leaves out whose batches they are."""
    for order in [ORDER, OTHER]:
        client.orders("create", order, [PLACED])
    refused = client.orders("bulkUpdate", [ORDER, OTHER], [PAID])
    assert refused.states == [[WAS_PLACED]] * 2
    assert [answer.status for answer in refused.answers] == [200, 200, 422]
    assert refused.error.statusCode == 422
    errors = json.loads(refused.answers[-1].data)["errors"]
    assert [error.split(":")[0] for error in errors] == ["batches[0].aggregateId", "batches[1].aggregateId"]
    assert loaded(client, ORDER) == loaded(client, OTHER) == [WAS_PLACED]


def test_an_order_exists_once_it_is_created(client):
    assert client.orders("exists", {"aggregateId": ORDER}).value is False
    unknown = client.orders("update", ORDER, [PAID])
    assert (unknown.error.statusCode, json.loads(unknown.answer.data)["code"]) == (404, 404)
    client.orders("create", ORDER, [PLACED])
    assert client.orders("exists", {"aggregateId": ORDER}).value is True
    assert client.orders("exists", {"aggregateId": OTHER}).value is False
    assert client.orders("exists", {"aggregateId": "7"}).error.statusCode == 400


def test_a_deletion_that_is_confirmed_leaves_nothing_of_an_order_and_all_of_others(client):
    for order in [ORDER, OTHER]:
        client.orders("create", order, [PLACED])
    [_, kept] = entries(client)
    token = client.orders("deleteAggregate", {"aggregateId": ORDER}).value["deleteToken"]
    assert loaded(client, ORDER) == [WAS_PLACED]
    wrong = client.orders("deleteAggregate", {"aggregateId": ORDER}, {"deleteToken": str(uuid.uuid4())})
    assert wrong.error.statusCode == 403
    of_other = client.orders("deleteAggregate", {"aggregateId": OTHER}, {"deleteToken": token})
    assert of_other.error.statusCode == 403
    confirmed = client.orders("deleteAggregate", {"aggregateId": ORDER}, {"deleteToken": token})
    assert (confirmed.value, confirmed.answer.status) == ("", 204)
    again = client.orders("deleteAggregate", {"aggregateId": ORDER}, {"deleteToken": token})
    assert again.error.statusCode in (403, 404)
    assert client.orders("exists", {"aggregateId": ORDER}).value is False
    assert entries(client) == [kept]
    [feed] = client.feeds("loadOverview").value["feeds"]
    assert (feed["aggregateCount"], feed["batchCount"], feed["eventCount"]) == (1, 1, 1)
    # It begins anew, with a sequence number that nothing had before.
    assert client.orders("create", ORDER, [PLACED]).value == 1
    assert client.orders("save", payment(1)).value == 1
    assert [entry["sequenceNumber"] for entry in entries(client)] == [2, 3, 4]


def test_a_deletion_of_a_type_that_is_confirmed_leaves_no_feed(client):
    for order in [ORDER, OTHER]:
        client.orders("create", order, [PLACED])
    token = client.orders("deleteAggregateType", {"aggregateType": "order"}).value["deleteToken"]
    assert len(entries(client)) == 2
    confirmed = client.orders("deleteAggregateType", {"aggregateType": "order"}, {"deleteToken": token})
    assert (confirmed.value, confirmed.answer.status) == ("", 204)
    for order in [ORDER, OTHER]:
        assert client.orders("exists", {"aggregateId": order}).value is False
    assert client.feeds("loadOverview").value == {"feeds": []}
    everything = client.feeds("loadAllFeed", {}).value
    assert everything == {"entries": [], "hasMore": False, "currentSequenceNumber": 2}
    assert client.orders("create", ORDER, [PLACED]).value == 1
    assert [entry["sequenceNumber"] for entry in entries(client)] == [3]


def test_a_tenant_has_orders_and_feeds_of_its_own(client):
    client.tenants("addTenant", IN_TENANT | {"reference": "their-7"})
    assert client.orders("create", ORDER, [PLACED]).value == 1
    assert client.orders("exists", {"aggregateId": ORDER}, IN_TENANT).value is False
    assert client.orders("create", ORDER, [PLACED], IN_TENANT).value == 1
    assert client.orders("update", ORDER, [PAID], IN_TENANT | {"limit": 1}).states == [[WAS_PLACED]]
    assert client.orders("save", payment(2, tenantId=TENANT)).value == 1
    batch = {"aggregateId": OTHER, "events": [WAS_PLACED], "expectedVersion": 0}
    assert client.orders("saveBulk", IN_TENANT | {"batches": [batch]}).value == 1
    assert client.orders("bulkSave", [batch | {"expectedVersion": 1}], TENANT).value == 1
    # What a bulk update loads is not the tenant's: this version of the client says whose it is only when it saves.
    assert client.orders("bulkUpdate", [OTHER], [PAID], TENANT).error.statusCode == 404
    assert client.orders("exists", {"aggregateId": OTHER}, IN_TENANT).value is True
    assert client.orders("exists", {"aggregateId": OTHER}).value is False
    assert loaded(client, ORDER, IN_TENANT) == [WAS_PLACED, WAS_PAID, WAS_PAID]
    assert loaded(client, ORDER) == [WAS_PLACED]
    theirs = entries(client, IN_TENANT)
    assert [entry["sequenceNumber"] for entry in theirs] == [1, 2, 3, 4, 5]
    assert client.feeds("loadAllFeed", {"options": IN_TENANT}).value["entries"] == theirs
    [ours] = entries(client)
    assert ours["sequenceNumber"] == 1
    assert client.feeds("loadAllFeed", {}).value["entries"] == [ours]


def test_a_tenant_is_added_changed_and_deleted(client, serialized):
    def listed():
        url, keys = serialized
        answer = requests.get(f"{url}/tenants", headers=dict(zip(KEY_HEADERS, keys)), timeout=30)
        [tenant] = answer.json()["tenants"]
        assert tenant.pop("tenantNumber").isdigit() and isinstance(tenant.pop("addedAt"), int)
        return tenant

    described = IN_TENANT | {"reference": "their-7"}
    assert client.tenants("addTenant", described).answer.status == 200
    assert client.tenants("addTenant", described).answer.status == 204
    assert listed() == described | {"deleted": False}
    changed = IN_TENANT | {"reference": "their-8"}
    assert client.tenants("updateTenant", changed).answer.status == 200
    assert listed() == changed | {"deleted": False}
    other = {"tenantId": str(uuid.uuid4()), "reference": "none"}
    assert client.tenants("updateTenant", other).error.statusCode == 404
    assert client.tenants("deleteTenant", other).error.statusCode == 404
    client.orders("create", ORDER, [PLACED], IN_TENANT)
    assert client.tenants("deleteTenant", IN_TENANT).answer.status == 200
    deleted = listed()
    assert isinstance(deleted.pop("deletedAt"), int)
    assert deleted == changed | {"deleted": True}
    assert client.orders("exists", {"aggregateId": ORDER}, IN_TENANT).value is False
    assert client.feeds("loadFeed", {"feedName": "order"}, IN_TENANT).error.statusCode == 404
    assert client.orders("create", OTHER, [PLACED], IN_TENANT).error.statusCode == 404


@pytest.mark.parametrize("of", ["key", "secret"])
def test_wrong_keys_are_unauthorized(serialized, of):
    url, (key, secret) = serialized
    keys = {"key": (str(uuid.uuid4()), secret), "secret": (key, str(uuid.uuid4()))}
    client = SerializedClient(url, keys[of])
    refusals = [client.feeds("loadOverview"), client.orders("create", ORDER, [PLACED]), client.tenants("addTenant", IN_TENANT)]
    client.close()
    for refused, path in zip(refusals, ["/feeds", f"/aggregates/order/{ORDER}/events", "/tenants"]):
        assert vars(refused.error).items() >= {"name": "UnauthorizedError", "statusCode": 401, "requestUrl": path}.items()
        told = json.loads(refused.answer.data)
        assert told == {"code": 401, "message": told["message"]}


def test_events_that_cannot_be_meant_are_all_told(client):
    events = [{"eventType": "no"}, WAS_PAID, {"eventId": "7", "eventType": "OrderPaid"}, {"data": 1}]
    refused = client.orders("save", {"aggregateId": ORDER, "events": events, "expectedVersion": 0})
    assert refused.error.statusCode == 422
    told = json.loads(refused.answer.data)
    paths = [error.split(":")[0] for error in told["errors"]]
    assert paths == ["events[0].eventType", "events[2].eventId", "events[3].eventType"]
    assert (told["code"], bool(told["message"])) == (422, True)
    assert client.orders("exists", {"aggregateId": ORDER}).value is False


def test_more_requests_than_there_may_be_are_refused_and_the_rest_is_told_what_is_left(guarded_server, client):
    guarded_server.settle("PUT", "limits", {"requests_per_second": 1})
    # They take less than a second each, so that one of the first few is too many.
    outcomes = [client.feeds("loadOverview") for _ in range(20)]
    [refused, *_] = [outcome for outcome in outcomes if outcome.error]
    assert (refused.error.name, refused.error.statusCode) == ("RateLimitExceeded", 429)
    told = json.loads(refused.answer.data)
    assert told == {"code": 429, "message": told["message"]}
    for outcome in outcomes:
        limit, remaining, reset = (
            int(outcome.answer.headers[f"serialized-ratelimit-{name}"]) for name in ["limit", "remaining", "reset"]
        )
        assert (limit, remaining) == (1, 0) and reset > 0
