"""The live worker's lease: of all workers of a ledger, one at a time hands out events."""

import asyncio
import logging
import os
import time

from timerex_ghl.adapters.ledger.db.core import Ledger
from timerex_ghl.adapters.ledger.tables.sync import locks
from timerex_ghl.adapters.ledger.tables.sync.locks import Fence
from timerex_ghl.domain.shared.errors import RetryableError
from timerex_ghl.engine.writes.lock_names import lock_of_live
from timerex_ghl.engine.writes.locking import holder_name, is_dead

LEASE_S = 10.0
"""How long the lease outlives its holder; then another worker takes over."""

MARGIN = 0.1
"""Share of the lease by which its holder stops early: clocks do not run at exactly one speed."""

TAKE_EVERY_S = 1.0
"""How often a standby tries to take the lease."""

_log = logging.getLogger(__name__)


class LeaseLostError(RetryableError):
    """Another live worker has taken over: this one has to end, and may stand by when restarted."""


class OutageLog:
    """Logs when the ledger's database fails and when it works again, not each failed attempt."""

    def __init__(self) -> None:
        self._fails = False

    def failed(self, why: object) -> None:
        """Log the start of an outage."""
        if not self._fails:
            _log.warning("%s; this worker waits and tries again", why)
        self._fails = True

    def works(self) -> None:
        """Log the end of an outage."""
        if self._fails:
            _log.warning("the ledger's database works again")
        self._fails = False


class Lease:
    """The right to hand out events.

    It ends by itself, by this machine's clock and before another worker can take it, unless it is
    renewed. During an outage of the database nobody can take it either: afterwards its holder goes
    on, or finds that another worker was faster.

    Args:
        asked_at: When it was asked for, by `seconds`: the database's time began later.
        lasts_s: How long it lasts in the database.
    """

    def __init__(self, ledger: Ledger, fence: Fence, asked_at: float, lasts_s: float) -> None:
        self.outages = OutageLog()
        self._ledger = ledger
        self._fence = fence
        self._lasts_s = lasts_s
        self._ends_at = self._end(asked_at)

    @property
    def is_valid(self) -> bool:
        """Whether no other worker can have the lease now."""
        return seconds() < self._ends_at

    async def keep(self) -> None:
        """Renew the lease for as long as it can be renewed.

        Raises:
            LeaseLostError: Another worker has taken it.
            FatalError: The database does not work before someone corrects it.
        """
        pause_s = self._lasts_s / 4
        while True:
            await asyncio.sleep(pause_s)
            asked_at = seconds()
            try:
                async with asyncio.timeout(pause_s):
                    was_renewed = await self._ledger.write(
                        locks.renew_lock, self._fence, self._lasts_s
                    )
            except TimeoutError:
                self.outages.failed("the ledger's database does not answer")
            except RetryableError as error:
                self.outages.failed(error)
            else:
                self.outages.works()
                if not was_renewed:
                    raise LeaseLostError(
                        "another live worker took over while this one did not renew its lease:"
                        " start it again to stand by"
                    )
                self._ends_at = self._end(asked_at)

    async def release(self) -> None:
        """Give the lease back; where that fails it expires."""
        try:
            await self._ledger.write(locks.release_locks, [self._fence])
        except RetryableError as error:
            self.outages.failed(error)

    def _end(self, asked_at: float) -> float:
        return asked_at + self._lasts_s * (1 - MARGIN)


async def take_lease(ledger: Ledger) -> Lease:
    """Wait for the lease, however long; release the locks of dead processes on this machine."""
    holder, lasts_s, outages = holder_name("live"), lease_s(), OutageLog()
    has_reported = False
    while True:
        try:
            await ledger.write(locks.release_dead, is_dead)
            asked_at = seconds()
            fence = await ledger.write(locks.try_lock, [lock_of_live()], holder, lasts_s)
            other = await ledger.read(locks.holder_of, lock_of_live())
        except RetryableError as error:
            outages.failed(error)
        else:
            outages.works()
            if fence is not None:
                return Lease(ledger, fence, asked_at, lasts_s)
            if not has_reported:
                _log.warning("another live worker is running (%s): this one stands by", other)
                has_reported = True
        await asyncio.sleep(TAKE_EVERY_S)


def lease_s() -> float:
    """Return how long a lease lasts; tests shorten it."""
    return float(os.environ.get("TIMEREX_GHL_LIVE_LEASE_S") or LEASE_S)


def seconds() -> float:
    """Read a clock that only goes forward, and goes on while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
