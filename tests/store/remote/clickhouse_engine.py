"""
The embedded engine in a process of its own: queries as lines of JSON, each answered by one line.

It starts threads and opens files that would stay in the tests' own process, where others count them.
"""

from __future__ import annotations

import base64
import json
import sys

from chdb import ChdbError
from chdb.session import Session


def main() -> None:
    """Answer until there are no more questions."""
    session = Session(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = session.query(asked["query"], params=asked["parameters"]).bytes() or b""
            told = {"answer": base64.b64encode(answer).decode()}
        except ChdbError as error:
            told = {"error": str(error)}
        print(json.dumps(told), flush=True)
    session.close()


if __name__ == "__main__":
    main()
