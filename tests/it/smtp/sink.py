#!/usr/bin/env python3
"""A mail relay that fails on demand.

Started with one JSON argument (see `main`), told more by JSON lines on standard input, tells what happens by JSON lines on
standard output. Ends with its standard input.

`answers` replaces what a stage would answer: greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, CONTENT, RSET. Each is
  {"say": "450 4.2.0 later"}   said instead; after 421 the connection is closed
  {"drop": true}               the connection is reset instead
  {"stall": true}              nothing is ever said
  {"drip": 0.2, "say": "..."}  said, one byte at a time
and, with "times": n, only the first n times.
"""
import asyncio
import base64
import itertools
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

# That it can be made to take passwords in plain text is known.
logging.disable()
warnings.simplefilter("ignore")

NUMBERS = itertools.count(1)


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Relay(SMTP):
    def __init__(self, sink, *arguments, **options):
        super().__init__(sink, *arguments, **options)
        self.sink = sink
        self.number = next(NUMBERS)
        self.signed_in = None

    def connection_made(self, transport):
        if self.transport is None:
            tell("connected", connection=self.number)
            self.sink.connections[self.number] = self
        super().connection_made(transport)

    def connection_lost(self, error):
        self.sink.connections.pop(self.number, None)
        super().connection_lost(error)

    def encrypted(self):
        return self.transport.get_extra_info("sslcontext") is not None

    async def _handle_client(self):
        if not await self.stage("greeting"):
            await super()._handle_client()

    async def stage(self, name):
        """Whether something else was done than the stage would do."""
        if name != "greeting":
            tell("command", connection=self.number, stage=name, tls=self.encrypted())
        answer = self.sink.answers.get(name)
        if answer is None:
            return False
        if "times" in answer:
            answer["times"] -= 1
            if answer["times"] <= 0:
                del self.sink.answers[name]
        if answer.get("drop"):
            self.transport.abort()
        elif answer.get("stall"):
            await asyncio.sleep(3600)
        else:
            await self.utter(answer)
        return True

    async def utter(self, answer):
        text = answer["say"].encode()
        if "drip" in answer:
            for byte in text:
                self._writer.write(bytes([byte]))
                await self._writer.drain()
                await asyncio.sleep(answer["drip"])
        else:
            self._writer.write(text + b"\r\n")
            await self._writer.drain()
        if text.startswith(b"421"):
            self.transport.close()


def staged(command):
    inherited = getattr(SMTP, "smtp_" + command)

    async def method(self, argument):
        if not await self.stage(command):
            await inherited(self, argument)

    method.__doc__ = inherited.__doc__
    for name, value in vars(inherited).items():
        setattr(method, name, value)
    setattr(Relay, "smtp_" + command, method)


for name in ["EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET"]:
    staged(name)


class Sink:
    def __init__(self, options):
        self.answers = options.get("answers", {})
        self.connections = {}
        self.options = options

    def sign_in(self, server, session, envelope, mechanism, data):
        known = (
            isinstance(data, LoginPassword)
            and data.login.decode() == self.options.get("user")
            and data.password.decode() == self.options.get("password")
        )
        if known:
            server.signed_in = mechanism
        return AuthResult(success=known, handled=known, auth_data=data if known else None)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if self.options.get("pipelining"):
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.get("CONTENT")
        tell(
            "message",
            connection=server.number,
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            options=envelope.mail_options,
            tls=server.encrypted(),
            mechanism=server.signed_in,
            taken=answer is None or "drop" in answer,
            content=base64.b64encode(envelope.original_content).decode(),
        )
        if await server.stage("CONTENT"):
            # Already answered, or never to be.
            return Silence()
        return "250 2.0.0 queued"


class Silence(str):
    """An answer that is not sent."""


async def push(self, status):
    if not isinstance(status, Silence):
        await SMTP.push(self, status)


Relay.push = push


async def listen(sink):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if "answers" in order:
            sink.answers = order["answers"]
        if "hang_up" in order:
            for connection in list(sink.connections.values()):
                if order["hang_up"]:
                    connection._writer.write(order["hang_up"].encode() + b"\r\n")
                connection.transport.close()
            await asyncio.sleep(0.1)
        tell("done")


async def main():
    options = json.loads(sys.argv[1])
    sink = Sink(options)
    context = None
    if "certificate" in options:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["certificate"], options["key"])
    implicit = options.get("implicit", False)
    sign_in = "user" in options

    def relay():
        return Relay(
            sink,
            hostname="mail.contoso.com",
            ident="umpin test",
            tls_context=None if implicit else context,
            require_starttls=context is not None and not implicit,
            authenticator=sink.sign_in if sign_in else None,
            auth_required=sign_in,
            auth_require_tls=options.get("auth_require_tls", False),
            auth_exclude_mechanism=options.get("without", []),
            enable_SMTPUTF8=options.get("utf8", True),
            data_size_limit=None,
            loop=asyncio.get_running_loop(),
        )

    # A handshake that fails, and a client that is gone, are what some tests are about.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    server = await asyncio.get_running_loop().create_server(
        relay, options.get("address", "127.0.0.1"), options.get("port", 0), ssl=context if implicit else None
    )
    tell("ready", port=server.sockets[0].getsockname()[1])
    await listen(sink)


asyncio.run(main())
