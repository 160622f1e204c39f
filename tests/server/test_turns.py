"""Of the threads of a process few work at a time, and none of them can hold up the others for long."""

import threading
from io import BytesIO

import pytest

from guestlist_server.turns import READ_AHEAD, Turns

WAIT = 10


class SlowBody:
    """Bytes of a client that takes its time."""

    def __init__(self, content):
        self.content, self.asked, self.arrives = BytesIO(content), threading.Event(), threading.Event()

    def read(self, size=-1):
        self.asked.set()
        assert self.arrives.wait(WAIT)
        return self.content.read(size)


def at_once(turns, environs):
    """Every request on a thread of its own; the threads, which have begun."""
    threads = [threading.Thread(target=turns, args=(environ, None)) for environ in environs]
    for thread in threads:
        thread.start()
    return threads


def ended(threads):
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive()


def test_only_so_many_requests_are_answered_at_a_time(monkeypatch):
    monkeypatch.setattr("guestlist_server.turns.PATIENCE", WAIT)
    working, most, lock = 0, 0, threading.Lock()

    def work(environ, start_response):
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        environ["moment"].wait(0.01)
        with lock:
            working -= 1
        return [b""]

    ended(at_once(Turns(work, 2), [{"moment": threading.Event()} for _ in range(12)]))
    assert most == 2


def test_a_turn_ends_with_an_error_too(monkeypatch):
    monkeypatch.setattr("guestlist_server.turns.PATIENCE", WAIT)

    def fail(environ, start_response):
        raise ValueError(environ["number"])

    turns = Turns(fail, 1)
    for number in range(3):
        with pytest.raises(ValueError, match=str(number)):
            turns({"number": number}, None)
    assert turns.free.acquire(blocking=False)


def test_whoever_waits_for_something_else_holds_nobody_up():
    hangs, answered = threading.Event(), threading.Event()

    def work(environ, start_response):
        if environ["path"] == "/slow":
            assert hangs.wait(WAIT)
        else:
            answered.set()
        return [b""]

    turns = Turns(work, 1)
    slow = at_once(turns, [{"path": "/slow"}])
    quick = at_once(turns, [{"path": "/quick"}])
    assert answered.wait(WAIT)
    assert slow[0].is_alive()
    hangs.set()
    ended([*slow, *quick])


def test_a_body_that_is_still_on_its_way_takes_no_turn(monkeypatch):
    monkeypatch.setattr("guestlist_server.turns.PATIENCE", WAIT)
    read = []

    def work(environ, start_response):
        read.append(environ["wsgi.input"].read())
        return [b""]

    turns, body = Turns(work, 1), SlowBody(b"emails=jane@acme.test")
    slow = at_once(turns, [{"CONTENT_LENGTH": "21", "wsgi.input": body}])
    assert body.asked.wait(WAIT)
    ended(at_once(turns, [{"CONTENT_LENGTH": "3", "wsgi.input": BytesIO(b"a=b and what is not part of it")}]))
    assert read == [b"a=b"]
    body.arrives.set()
    ended(slow)
    assert read == [b"a=b", b"emails=jane@acme.test"]


def test_a_long_body_is_left_to_whoever_reads_it_and_takes_no_turn():
    turns = Turns(lambda environ, start_response: [environ["wsgi.input"].read(3)], 1)
    body = BytesIO(b"x" * (READ_AHEAD + 1))
    turns.free.acquire()
    assert turns({"CONTENT_LENGTH": str(READ_AHEAD + 1), "wsgi.input": body}, None) == [b"xxx"]
    assert body.tell() == 3


def test_a_length_that_is_none_is_left_to_whoever_refuses_it():
    turns = Turns(lambda environ, start_response: [environ["CONTENT_LENGTH"].encode()], 1)
    assert turns({"CONTENT_LENGTH": "-1", "wsgi.input": BytesIO(b"x")}, None) == [b"-1"]
