#!/usr/bin/env python3
"""publish.py: publish events, using only Python's standard library.

    publish.py http TOPIC DATA...    through the web server, with the token
    publish.py sql  TOPIC DATA...    into the log, on the same machine

Prints the ids.  Several DATA are stored together or not at all.
"""
import contextlib
import json
import os
import sqlite3
import sys
import urllib.error
import urllib.request

URL = os.environ.get("ROWCAST_PUBLISH_URL", "http://127.0.0.1:8080/publish")
DB = os.environ.get("ROWCAST_DB", "build/run/events.db")


def publish_http(events):
    # After a timeout, the events may or may not be stored.  Give an event a
    # "key", and you can safely send it again.
    request = urllib.request.Request(URL, json.dumps(events).encode(), {
        "Authorization": "Bearer " + os.environ["ROWCAST_PUBLISH_TOKEN"],
        "Content-Type": "application/json",
    })
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["ids"]


def publish_sql(events):
    # Wait up to 5 s for other writers, and do not begin transactions.
    db = sqlite3.connect(DB, timeout=5, isolation_level=None)
    with contextlib.closing(db):
        # Do not use a plain BEGIN: a transaction that reads first and writes
        # later fails instead of waiting for other writers.
        db.execute("BEGIN IMMEDIATE")
        with db:  # commits, or rolls back after an exception
            # Put changes of your own tables here, so that both are stored or
            # neither.
            return [db.execute("INSERT INTO events(topic, data)"
                               " VALUES(:topic, :data)", event).lastrowid
                    for event in events]


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in ("http", "sql"):
        sys.exit(__doc__)
    publish = publish_http if sys.argv[1] == "http" else publish_sql
    try:
        for id in publish([{"topic": sys.argv[2], "data": data}
                           for data in sys.argv[3:]]):
            print(id)
    except urllib.error.HTTPError as e:
        sys.exit(e.read().decode())  # says what to do
