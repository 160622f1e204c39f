"""After each test of an action the database has counted rightly."""

from collections.abc import Iterator

import pytest

from tests.headcounts import assert_headcounts_hold


@pytest.fixture(autouse=True)
def _headcounts_hold(db: None) -> Iterator[None]:
    yield
    assert_headcounts_hold()
