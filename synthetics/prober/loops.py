"""An event loop that ends in a bounded time, whatever name lookups still hang in its threads."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

_LOOKUP_THREADS: Final = 64  # lookups that hang must not hold up the others


def run_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `main()` in a loop of its own. Unlike `asyncio.run` it does not wait for threads that hang."""
    loop = asyncio.new_event_loop()
    lookups = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="prober lookup")
    loop.set_default_executor(lookups)
    try:
        loop.run_until_complete(main())
    finally:
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.wait(left, timeout=1.0))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            lookups.shutdown(wait=False, cancel_futures=True)
            loop.close()
