"""DNS messages, by dnspython: a question, and what its answer says."""

from collections.abc import Iterator
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.rrset import RRset

from synthetics.probes.adapters.conversations import find, shortened
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.trials import Trial
from synthetics.probes.modules import DNSModule


@dataclass(frozen=True, slots=True)
class Question:
    """A question with an id of its own, as it goes over the wire."""

    message: dns.message.QueryMessage
    wire: bytes

    @staticmethod
    def of(module: DNSModule) -> "Question":
        """The module's question. Raises ProbeFailed, a fault of the prober, for one that cannot be asked."""
        try:
            kind = dns.rdatatype.from_text(module.query_type)
            flags = dns.flags.RD if module.recursion else dns.flags.Flag(0)
            message = dns.message.make_query(module.query_name, kind, flags=flags)
            return Question(message, message.to_wire())
        except (dns.exception.DNSException, ValueError) as error:
            why = str(error) or type(error).__name__
            asked = f"{module.query_name} {module.query_type}"
            raise ProbeFailed("query", f"`{asked}` cannot be asked: {why}", is_fault=True) from None

    def is_meant_by(self, wire: bytes) -> bool:
        """Whether a message has our id."""
        return wire[:2] == self.wire[:2]

    def answered_by(self, wire: bytes) -> "Answer":
        """Raises ProbeFailed for what is no DNS message (cut off, compressed in loops, noise), or no answer to this."""
        try:
            message = dns.message.from_wire(wire, one_rr_per_rrset=True, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError, IndexError, OverflowError) as error:
            why = str(error) or type(error).__name__
            raise ProbeFailed("protocol", f"the answer is no DNS message: {why}") from None
        if not self.message.is_response(message):
            raise ProbeFailed("protocol", "the answer is to another question")
        return Answer(message)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    message: dns.message.Message

    def tell(self, trial: Trial) -> None:
        """Give blackbox_exporter's gauges their values."""
        message = self.message
        trial.tell("probe_dns_answer_rrs", _count(message.answer))
        trial.tell("probe_dns_authority_rrs", _count(message.authority))
        trial.tell("probe_dns_additional_rrs", _count(message.additional) + (message.opt is not None))
        trial.tell("probe_dns_query_succeeded", 1)
        if any(asked.rdtype == dns.rdatatype.SOA for asked in message.question):
            serials = [item.serial for one in message.answer for item in one if one.rdtype == dns.rdatatype.SOA]
            trial.tell("probe_dns_serial", serials[-1] if serials else 0)

    def judge(self, module: DNSModule) -> None:
        """Raises ProbeFailed for what the module does not want."""
        code = dns.rcode.to_text(self.message.rcode())
        if code not in module.valid_rcodes:
            raise ProbeFailed("rcode", f"the server says {code} for {module.query_name} {module.query_type}")
        if self.message.flags & dns.flags.TC:
            raise ProbeFailed("truncated", "the answer did not fit into a datagram; ask with `transport: tcp`")
        lines = list(_zone_lines(self.message.answer))
        for pattern in module.answer_must_match:
            if not any(find(pattern, line) for line in lines):
                raise ProbeFailed("expect", f"no answer matches `{shortened(pattern)}`; there are {len(lines)}")
        for pattern in module.answer_must_not_match:
            for line in lines:
                if find(pattern, line):
                    raise ProbeFailed("expect", f"`{shortened(line)}` matches `{shortened(pattern)}`, which none may")


def _count(section: list[RRset]) -> int:
    return sum(len(one) for one in section)


def _zone_lines(section: list[RRset]) -> Iterator[str]:
    """As blackbox_exporter writes them for its patterns: name, TTL, class, type and data, with tabs between."""
    for one in section:
        head = f"{one.name}\t{one.ttl}\t{dns.rdataclass.to_text(one.rdclass)}\t{dns.rdatatype.to_text(one.rdtype)}"
        for item in one:
            yield f"{head}\t{item.to_text()}"
