"""A body that comes in chunks is read as one that comes with its length."""

from io import BytesIO

import pytest

from guestlist_server.chunked import Chunked


@pytest.mark.parametrize(("body", "read"), [(b"", b""), (b"12345", b"12345"), (b"123456789", b"123456")])
def test_a_body_in_chunks_is_read_up_to_just_beyond_the_limit(body, read):
    def application(environ, start_response):
        assert environ["CONTENT_LENGTH"] == str(len(read))
        return [environ["wsgi.input"].read()]

    environ = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
        "wsgi.input": BytesIO(body),
    }
    assert Chunked(application, 5)(environ, None) == [read]
