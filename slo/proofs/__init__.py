"""promtool unit tests of the rules that we write: what must fire, what must stay silent, and when.

What is expected follows from the tiers as the user chose them (`courses`), never from the rules' own expressions, so
that a wrong factor or window in the rules is found. `flyball slo test` runs them; so does `promtool test rules`.
"""

from slo.proofs.testfile import ProofFile, proof_of

__all__ = ["ProofFile", "proof_of"]
