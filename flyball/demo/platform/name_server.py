"""A name server for the platform's zone on loopback: something for a DNS probe to ask."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from flyball.demo.platform.app import HOST

if TYPE_CHECKING:
    from dns.message import Message

LOOPBACK: Final = "127.0.0.1"
NAME_SERVER: Final = "ns1.intelgraph.example"
_TTL_SECONDS: Final = 60


@contextmanager
def serving_names() -> Iterator[int]:
    """Answer over UDP in a thread until the end of the block; gives the port."""
    with socketserver.ThreadingUDPServer((LOOPBACK, 0), _Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, name="name server", daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        import dns.exception
        import dns.message

        data, connection = self.request
        try:
            question = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        connection.sendto(_answer(question).to_wire(), self.client_address)


def _answer(query: "Message") -> "Message":
    """The application's address, or that there is no such name."""
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype
    import dns.rrset

    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA
    if len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
        return response
    asked = query.question[0]
    if asked.name.to_text().rstrip(".").lower() != HOST:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif asked.rdtype == dns.rdatatype.A:
        response.answer.append(dns.rrset.from_text(asked.name, _TTL_SECONDS, "IN", "A", LOOPBACK))
    return response
