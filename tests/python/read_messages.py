"""Reads the messages (*.eml) of a folder with Python's e-mail package, which had no part in making them.

Writes what a recipient would get as JSON: one object for each file, by its name.
"""

import email
import email.policy
import json
import pathlib
import sys


def addresses(header):
    return [[a.display_name, a.addr_spec] for a in header.addresses]


def describe(content):
    # The policy of internationalised messages: headers may hold UTF-8.
    message = email.message_from_string(content.decode(), policy=email.policy.SMTPUTF8)
    parts = list(message.walk())
    defects = [repr(d) for part in parts for d in part.defects]
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"):
        header = message[name]
        # An address beyond ASCII is allowed where SMTPUTF8 is, which the header parser of the standard library does not know.
        defects += [repr(d) for d in header.defects if "NonASCII" not in type(d).__name__]
    return {
        "headers": list(message.keys()),
        "from": addresses(message["From"]),
        "to": addresses(message["To"]),
        "subject": str(message["Subject"]),
        "messageId": str(message["Message-ID"]).strip("<>"),
        "hasDate": message["Date"].datetime is not None,
        "types": [part.get_content_type() for part in parts],
        "text": message.get_body(("plain",)).get_content(),
        "html": message.get_body(("html",)).get_content(),
        "defects": defects,
    }


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))
    json.dump({f.stem: describe(f.read_bytes()) for f in files}, sys.stdout)


if __name__ == "__main__":
    main()
