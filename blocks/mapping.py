"""Which workspace field maps to which GHL field."""

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from timerex_ghl.domain.contacts.mapping import DEFAULT_RULES, GHL_FIELDS
from timerex_ghl.domain.shared.models import ConflictRule, Direction, FieldName, FieldRule, GhlField

CREATE_ONLY = {rule.ghl for rule in DEFAULT_RULES if rule.create_only} | {
    field for field, use in GHL_FIELDS.items() if use == "create"
}
"""GHL fields that are written when a contact is created, and never again."""

TO_GHL = {Direction.BOTH, Direction.TO_GHL}


class FieldRuleDraft(BaseModel):
    """The rule of one field, as entered."""

    model_config = ConfigDict(hide_input_in_errors=True)

    field: str = Field(
        description="Field of the workspace: first_name, email, … or custom.<your name for it>.",
        examples=["custom.company_size"],
    )
    ghl: str = Field(
        description="Field in GHL: firstName, email, … or customFields.<id of the custom field>.",
        examples=["customFields.Ab12Cd34Ef56Gh78Ij90"],
    )
    direction: Direction = Field(
        default=Direction.BOTH, description="In which direction the field is synced."
    )
    conflict: ConflictRule = Field(
        default=ConflictRule.NEWEST,
        description="Whose value wins when both sides changed the field differently.",
    )
    empty_wipes: bool = Field(
        default=False, description="An emptied value empties the field in the other system too."
    )
    answer_label: str | None = Field(
        default=None,
        description="The booking form's question whose answer fills the field, as worded there.",
    )

    def rule(self) -> FieldRule:
        """Return the rule as the engine uses it."""
        ghl = GhlField(self.ghl.strip())
        return FieldRule(
            field=FieldName(self.field.strip()),
            ghl=ghl,
            direction=self.direction,
            conflict=self.conflict,
            create_only=ghl in CREATE_ONLY and self.direction in TO_GHL,
            empty_wipes=self.empty_wipes,
            answer_label=self.answer_label or None,
        )


class FieldMapping(Block):
    """Field mapping: standard fields are synced by default; list what differs, and your own.

    Example:
        Load a stored mapping:
        ```python
        from blocks import FieldMapping

        mapping = FieldMapping.load("BLOCK_NAME")
        ```
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)
    _block_type_name = "Field Mapping"
    _block_type_slug = "field-mapping"
    _documentation_url: ClassVar[HttpUrl | None] = HttpUrl(
        "https://marketplace.gohighlevel.com/docs/ghl/contacts/update-contact"
    )

    rules: list[FieldRuleDraft] = Field(
        default_factory=list[FieldRuleDraft],
        description="Rules that replace the standard rule of the same field, or add a field.",
    )

    def own_rules(self) -> list[FieldRule]:
        """Return these rules as the engine uses them."""
        return [draft.rule() for draft in self.rules]


def with_own_rules(own: list[FieldRule]) -> tuple[FieldRule, ...]:
    """Replace standard rules with own rules of the same field, and add the others."""
    replaced = {rule.field for rule in own}
    return (*(rule for rule in DEFAULT_RULES if rule.field not in replaced), *own)
