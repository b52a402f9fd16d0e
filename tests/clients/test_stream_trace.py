"""What the trace of a stream that was cut is held against: each promise that is broken is found."""

import pytest

from stream_trace import Sight, TakenBack, Trace

A, B = ("a", 0), ("b", 0)


def judge(*sights, is_explicit=True, kills=(), begins=(), ends=(), taken_back=(), **acknowledged):
    """Judges sights of the subject `s`, as (at, position, connection); `p7=9` says that 7 was acknowledged at 9."""
    trace = Trace(is_explicit, heartbeat=1, ack_timeout=4, kills=list(kills), begins=dict(begins), ends=dict(ends))
    trace.taken_back = [TakenBack(*back) for back in taken_back]
    for at, position, connection in sights:
        trace.published[position] = "s"
        trace.sights.append(Sight(at, position, 0, "s", connection))
    for position, at in acknowledged.items():
        trace.acknowledged[int(position[1:])].append(at)
    return trace.judge()[0]


def test_what_comes_once_and_in_order_is_as_promised():
    assert judge((1, 1, A), (2, 2, A), p1=3, p2=3) == []


def test_what_never_came_is_found():
    trace = Trace(True, heartbeat=1, ack_timeout=4, published={1: "s"})
    assert trace.judge()[0] == ["1 never came"]


def test_what_came_first_behind_a_later_one_is_found():
    assert judge((1, 2, A), (2, 1, A)) == ["1 of s came first after 2"]


CUT_OR_LATE = [
    ("its member is cut off", (5, {"ends": [(A, 3)]})),
    ("the server is killed", (5, {"kills": [3]})),
    ("it was not acknowledged in time", (6, {})),
]


@pytest.mark.parametrize("at, cut", [case for _, case in CUT_OR_LATE], ids=[name for name, _ in CUT_OR_LATE])
def test_what_is_not_acknowledged_comes_again_when(at, cut):
    assert judge((2, 1, A), (at, 1, B), **cut) == []


@pytest.mark.parametrize("cut", [{}, {"ends": [(B, 2.2)]}, {"ends": [(A, 4)]}, {"kills": [1, 4]}])
def test_what_comes_again_without_a_cut_is_found(cut):
    assert len(judge((2, 1, A), (3, 1, B), **cut)) == 1
    assert len(judge((2, 1, A), (3, 1, B), is_explicit=False, **cut)) == 1


def test_what_was_on_its_way_when_the_server_was_killed_may_come_again_before_its_reader_knows():
    sights = (2, 1, A), (3, 1, B)
    assert judge(*sights, kills=[1.9], begins=[(A, 1)], ends=[(A, 3.5)]) == []
    assert len(judge(*sights, kills=[1.9], begins=[(A, 1.95)], ends=[(A, 3.5)])) == 1


@pytest.mark.parametrize("is_explicit", [True, False])
def test_what_comes_again_is_what_the_server_says_that_it_took_back(is_explicit):
    sights = (2, 5, A), (4, 5, B)
    assert judge(*sights, is_explicit=is_explicit, taken_back=[(3, 4, 5)]) == []
    for back in (3, 5, 9), (3, 1, 4), (1, 4, 5), (4.5, 4, 5):
        assert len(judge(*sights, is_explicit=is_explicit, taken_back=[back])) == 1


def test_what_was_taken_back_may_be_read_late_by_who_had_it_first():
    sights = (4, 5, B), (5, 5, A)
    late = {"begins": [(A, 1)], "ends": [(A, 6)]}
    assert judge(*sights, taken_back=[(3, 4, 5)], **late) == []
    assert len(judge(*sights, **late)) == 1


def test_what_is_behind_one_that_comes_again_may_come_again_with_it():
    assert judge((1, 1, A), (4.9, 2, A), (5.1, 1, A), (5.2, 2, A)) == []
    # Not where the one before it came for the first time.
    assert len(judge((4.9, 1, A), (4.9, 2, A), (5.2, 2, A))) == 1


def test_what_was_acknowledged_does_not_come_again_because_a_member_is_cut_off():
    assert len(judge((1, 1, A), (5, 1, B), ends=[(A, 3)], p1=2)) == 1


def test_what_was_acknowledged_comes_again_only_where_it_was_just_before_a_kill():
    assert judge((1, 1, A), (9, 1, B), kills=[3.5], p1=2) == []
    assert len(judge((1, 1, A), (9, 1, B), kills=[4.5], p1=2)) == 1
    assert len(judge((1, 1, A), (9, 1, B), kills=[0.5, 10], p1=2)) == 1


def test_an_answer_may_be_read_when_the_server_is_dead():
    assert judge((1, 1, A), (9, 1, B), kills=[1.9], p1=2) == []


def test_what_was_acknowledged_beyond_one_that_was_not_comes_again_after_any_kill():
    sights = (1, 1, A), (1, 2, A), (8, 1, B), (8, 2, B)
    assert judge(*sights, kills=[7], p2=2) == []
    assert len(judge(*sights, kills=[7], p2=2, p1=2)) == 1


def test_what_has_failed_may_be_on_its_way_again_when_it_is_acknowledged():
    assert judge((1, 1, A), (5.2, 1, A), p1=5.1) == []
    assert len(judge((1, 1, A), (7, 1, A), p1=5.1)) == 1


def test_what_was_delivered_long_before_a_cut_does_not_come_again():
    assert judge((1, 1, A), (9, 1, B), is_explicit=False, ends=[(A, 8)]) == []
    assert len(judge((1, 1, A), (9, 1, B), is_explicit=False, ends=[(A, 8.5)])) == 1
