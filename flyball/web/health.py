"""`/healthz`: the process is alive. `/readyz`: it can do its work."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from controlplane.ports import Permanent, Transient

CHECK_SECONDS: Final = 5.0
_FRESH_SECONDS: Final = 1.0
Check = Callable[[], str]  # empty when it is well, else what is wrong; may raise Transient or Permanent


async def healthz(request: Request) -> Response:
    """Always 200 while the process serves."""
    del request
    return JSONResponse({"status": "alive"})


class Readiness:
    """Runs all checks side by side, each within `CHECK_SECONDS`, at most once a second however many ask."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._workers = ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="readiness")
        self._lock = asyncio.Lock()
        self._found: dict[str, str] = {}
        self._found_at = float("-inf")

    async def answer(self, request: Request) -> Response:
        """200 when every check passes, else 503; the body names each."""
        del request
        async with self._lock:
            if time.monotonic() - self._found_at > _FRESH_SECONDS:
                results = await asyncio.gather(*(self._result(check) for check in self._checks.values()))
                self._found = dict(zip(self._checks, results, strict=True))
                self._found_at = time.monotonic()
            found = self._found
        ready = not any(found.values())
        checks = {name: {"ok": not why} | ({"reason": why} if why else {}) for name, why in found.items()}
        return JSONResponse({"ready": ready, "checks": checks}, status_code=200 if ready else 503)

    async def _result(self, check: Check) -> str:
        running = asyncio.get_running_loop().run_in_executor(self._workers, check)
        try:
            return await asyncio.wait_for(asyncio.shield(running), CHECK_SECONDS)
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:.0f} seconds"
        except (Transient, Permanent) as error:
            return str(error) or type(error).__name__
