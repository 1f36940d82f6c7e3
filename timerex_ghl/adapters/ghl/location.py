"""The location itself, and its custom fields."""

from timerex_ghl.adapters.ghl import operations as ops
from timerex_ghl.adapters.ghl.mappers import Json, location_from
from timerex_ghl.adapters.ghl.transport import GhlTransport
from timerex_ghl.domain.shared.errors import CredentialsError
from timerex_ghl.domain.shared.models import Location, Record


class CustomField(Record):
    """A custom field of the location. `key` is like `contact.company_size`."""

    id: str
    key: str
    name: str
    data_type: str


class LocationCalls(GhlTransport):
    """Calls about the location itself."""

    async def get_location(self) -> Location:
        """Read the location, and check that the credentials belong to it.

        Source: GET /locations/{locationId}.
        """
        location = await self.send(
            ops.GET_LOCATION,
            lambda answer: location_from(answer["location"]),
            location=self.location_id,
        )
        if location.id != self.location_id:
            raise CredentialsError(
                f"the credentials are for location {location.id}, not {self.location_id}"
            )
        return location

    async def list_custom_fields(self) -> list[CustomField]:
        """List the location's custom fields of contacts.

        Source: GET /locations/{locationId}/customFields.
        """
        return await self.send(
            ops.LIST_CUSTOM_FIELDS,
            lambda answer: [_custom_field(field) for field in answer["customFields"] or ()],
            params={"model": "contact"},
            location=self.location_id,
        )


def _custom_field(field: Json) -> CustomField:
    return CustomField(
        id=field["id"],
        key=field.get("fieldKey") or "",
        name=field.get("name") or "",
        data_type=field.get("dataType") or "",
    )
