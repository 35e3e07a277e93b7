#!/usr/bin/env python3
"""Reads a delivered message with Python's own parser, holds it to the rules of a notification and prints what it says."""
import datetime
import email.errors
import email.policy
import html.parser
import json
import re
import sys
from email.parser import Parser


class Visible(html.parser.HTMLParser):
    """The text of a page, and whatever it would fetch."""

    def __init__(self):
        super().__init__()
        self.hidden = 0
        self.text = []
        self.fetched = []

    def handle_starttag(self, tag, attributes):
        self.hidden += tag in ("style", "title", "script")
        self.fetched += [value for name, value in attributes if name in ("src", "background", "action")]
        if tag in ("link", "script", "img", "iframe", "object"):
            self.fetched.append(tag)

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "title", "script")

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data.strip())


def one(message, name):
    values = message.get_all(name, [])
    assert len(values) == 1, f"{len(values)} headers {name}"
    return values[0]


def part(message, kind):
    assert message.get_content_type() == kind, message.get_content_type()
    assert message.get_content_charset() == "utf-8", message.get_content_charset()
    assert not message.defects, message.defects
    assert message.get_content_disposition() is None
    return message.get_content()


def main():
    # International headers are UTF-8 (RFC 6532); everything else must be ASCII, which the parts' own decoding shows.
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        message = Parser(policy=email.policy.SMTPUTF8).parse(file)
    assert not message.defects, message.defects
    for name, value in message.items():
        # Python remarks on what RFC 6532 allows.
        defects = [d for d in value.defects if not isinstance(d, email.errors.NonASCIILocalPartDefect)]
        assert not defects, (name, defects)
    assert one(message, "MIME-Version") == "1.0"
    assert one(message, "Auto-Submitted") == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f]{32}@[^<>@\s]+>", one(message, "Message-ID")), message["Message-ID"]
    age = datetime.datetime.now(datetime.timezone.utc) - one(message, "Date").datetime
    assert abs(age.total_seconds()) < 600, age
    assert one(message, "Subject").strip()
    assert not message["Bcc"] and not message["Cc"]
    assert message.get_content_type() == "multipart/alternative"
    plain, page = message.iter_parts()

    text = part(plain, "text/plain")
    pins = [line for line in text.splitlines() if re.fullmatch(r"[0-9]{4,24}", line)]
    assert len(pins) == 1, "not one line with a PIN"
    visible = Visible()
    visible.feed(part(page, "text/html"))
    assert not visible.fetched, visible.fetched
    assert visible.text.count(pins[0]) == 1, "not one PIN in the page"
    assert visible.hidden == 0

    sender = one(message, "From").addresses
    to = one(message, "To").addresses
    assert len(sender) == len(to) == 1
    print(json.dumps({
        "pin": pins[0],
        "from": [sender[0].display_name, sender[0].addr_spec],
        "to": [to[0].display_name, to[0].addr_spec],
        "deliveredTo": message.get_all("Delivered-To", []),
        "returnPath": message["Return-Path"],
        "received": message["Received"],
        "subject": message["Subject"],
        "text": text,
    }))


main()
