#!/usr/bin/env python3
"""read.py: follow a stream, using only Python's standard library.

    read.py URL [LAST_ID]      http://127.0.0.1:8080/events?topic=news

Prints "ID NAME DATA" for each event.  Copy events() into your program.
"""
import http.client
import json
import re
import sys
import time
import urllib.error
import urllib.request


def events(url, last_id="", idle_s=45):
    """Yield (id, name, data) of each event, without end.

    Reconnects by itself, with the id of the last event, so each event arrives
    once.  Store that id together with the effect of the event, and pass it as
    last_id when your program starts again.  A refusal (4xx) raises HTTPError.
    idle_s must be longer than the server's keepalive, which is 15 s.
    """
    retry_ms, failures = 3000, 0
    while True:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=idle_s) as stream:
                if stream.status == 204:
                    return  # the server asks clients not to reconnect
                for fields in blocks(stream):
                    failures = 0
                    retry = fields.get("retry", "")
                    if re.fullmatch("[0-9]{1,9}", retry):
                        retry_ms = int(retry)
                    # Keep the id of a block without data, too: the first
                    # block of a stream says where it starts.
                    last_id = fields.get("id", last_id)
                    if "data" in fields:
                        name = fields.get("event") or "message"
                        yield last_id, name, fields["data"]
        except urllib.error.HTTPError as e:
            if e.code < 500:
                raise
        except (OSError, http.client.HTTPException):
            pass  # cut, silent for too long, or refused
        # Wait as long as the server asked, then longer each time.
        time.sleep(min(retry_ms / 1000 * 2 ** min(failures, 9), 60))
        failures += 1


def blocks(lines):
    """Yield the fields of each block; a block that was cut off is dropped."""
    fields = {}
    for line in lines:
        line = line.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            yield fields
            fields = {}
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data" and "data" in fields:
            fields["data"] += "\n" + value
        # the id becomes a header: only digits, as the ids of rowcast
        elif field != "id" or re.fullmatch("[0-9]*", value):
            fields[field] = value


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        for id, name, data in events(*sys.argv[1:]):
            if name == "stream-gap":
                told = json.loads(data)
                print(f"gone: events after {told['after']}, before"
                      f" {told['next']}", file=sys.stderr)
            elif name == "stream-reset":
                # Discard the state that was made of earlier events.
                print("another log:", data, file=sys.stderr)
            else:
                print(id, name, data, flush=True)
    except urllib.error.HTTPError as e:
        sys.exit(e.read().decode())  # says what to do
    except KeyboardInterrupt:
        pass
