"""Lists as CSV, to download."""

from collections.abc import Iterable, Sequence

from django.http import StreamingHttpResponse

from guestlist.csv_lines import csv_lines


def csv_answer(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """The answer that downloads the rows as the file `name`; they are read while it is sent."""
    answer = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
