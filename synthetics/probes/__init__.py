"""Single probes: HTTP, TCP, DNS, TLS, ICMP, gRPC health, WebSocket; what is asserted, and what is measured."""
