"""Control of webhook deliveries: their states, and faults in transit."""

from collections import Counter
from typing import Any, Self

from pydantic import NonNegativeInt, PositiveInt, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from timerex_ghl.sandbox.control.control_faults import AimOrder
from timerex_ghl.sandbox.control.control_requests import (
    ControlOrder,
    known,
    read,
    read_query,
    reply,
)
from timerex_ghl.sandbox.core.deliveries import Deliveries, ReleaseOrder
from timerex_ghl.sandbox.core.delivery_faults import DeliveryFault, Forgery, Kind, Plan


class DeliveryFaultOrder(AimOrder):
    """Which fault to add; `*` is a delivery of any type."""

    type: str = "*"
    kind: Kind
    value: NonNegativeInt = 0

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.kind in {"copies", "delay", "shuffle"} and not self.value:
            raise ValueError(f"{self.kind} needs a value")
        return self


class RepeatOrder(ControlOrder):
    """How to deliver again: number of copies, and an optional forgery."""

    copies: PositiveInt = 1
    forgery: Forgery | None = None


class Release(ControlOrder):
    """In which order to start paused deliveries."""

    order: ReleaseOrder = "same"
    seed: int = 1


class DeliveriesQuery(ControlOrder):
    """Which deliveries to return."""

    state: str | None = None
    type: str | None = None


class DeliveriesControl:
    """The calls."""

    def __init__(self, deliveries: Deliveries[Any]) -> None:
        self.deliveries = deliveries

    async def list_deliveries(self, request: Request) -> Response:
        """Return the deliveries and their states, without bodies."""
        query = read_query(request, DeliveriesQuery)
        found = [
            delivery.as_json()
            for delivery in self.deliveries.all.values()
            if query.state in {None, delivery.state} and query.type in {None, delivery.type}
        ]
        return reply(deliveries=found, forgotten=self.deliveries.forgotten)

    async def show(self, request: Request) -> Response:
        """Return the body of a delivery, before any forgery."""
        delivery = known(self.deliveries.all, request.path_params["id"])
        return reply(body=delivery.body.decode(errors="replace"))

    async def count(self, _request: Request) -> Response:
        """Count the deliveries by state."""
        found = self.deliveries.all.values()
        return reply(states=Counter(delivery.state for delivery in found))

    async def repeat(self, request: Request) -> Response:
        """Deliver again, byte for byte unless forged."""
        order = await read(request, RepeatOrder)
        delivery = known(self.deliveries.all, request.path_params["id"])
        kinds = (order.forgery,) if order.forgery else ()
        self.deliveries.begin(delivery, Plan(kinds, order.copies, forgery=order.forgery))
        return reply()

    async def release(self, request: Request) -> Response:
        """Start paused deliveries."""
        order = await read(request, Release)
        return reply(released=self.deliveries.release(order.order, order.seed))

    async def add_fault(self, request: Request) -> Response:
        """Add a fault to later deliveries."""
        order = await read(request, DeliveryFaultOrder)
        fault = DeliveryFault(order.aim(order.type, self.deliveries.clock), order.kind, order.value)
        self.deliveries.faults.waiting.append(fault)
        return reply(201)

    async def forget_faults(self, _request: Request) -> Response:
        """Remove the faults; paused deliveries stay paused."""
        self.deliveries.faults.waiting.clear()
        return reply()


def delivery_routes(deliveries: Deliveries[Any], prefix: str) -> list[Route]:
    """Route the calls."""
    control = DeliveriesControl(deliveries)
    return [
        Route(f"{prefix}/deliveries", control.list_deliveries, methods=["GET"]),
        Route(f"{prefix}/deliveries/counts", control.count, methods=["GET"]),
        Route(f"{prefix}/deliveries/{{id}}", control.show, methods=["GET"]),
        Route(f"{prefix}/deliveries/release", control.release, methods=["POST"]),
        Route(f"{prefix}/deliveries/{{id}}/repeat", control.repeat, methods=["POST"]),
        Route(f"{prefix}/webhook/faults", control.add_fault, methods=["POST"]),
        Route(f"{prefix}/webhook/faults", control.forget_faults, methods=["DELETE"]),
    ]
