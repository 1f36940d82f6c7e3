"""HTML of the sandbox's TimeRex pages: plain, with every text escaped."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from starlette.responses import HTMLResponse

from timerex_ghl.sandbox.timerex.timerex_bookings import Question, SandboxCalendar

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f4f5f7; color: #1d2330 }
main { max-width: 34rem; margin: 2rem auto; padding: 1.5rem 2rem; background: #fff;
  border-radius: .5rem }
label, legend { display: block; font-weight: 600; margin-top: 1rem }
fieldset { border: 0; padding: 0; margin: 0 } fieldset label { font-weight: 400; margin: 0 }
input:not([type=checkbox]):not([type=radio]), select, textarea { width: 100%; padding: .5rem;
  font: inherit; box-sizing: border-box; border: 1px solid #8a93a5; border-radius: .25rem }
button { margin-top: 1.5rem; padding: .6rem 1.4rem; font: inherit; border: 0;
  border-radius: .25rem; background: #1f5fbf; color: #fff }
.faults { color: #a11212 }
"""


def message_page(text: str, status: int = 200, *, event_id: str | None = None) -> HTMLResponse:
    """Return a page with one message."""
    known = f'<p>Booking <code id="event-id">{escape(event_id)}</code></p>' if event_id else ""
    return _page("TimeRex", f"<h1>{escape(text)}</h1>{known}", status)


def form_page(
    calendar: SandboxCalendar,
    questions: Sequence[Question],
    given: Mapping[str, Sequence[str]],
    slots: Sequence[datetime],
    faults: Sequence[str] = (),
) -> HTMLResponse:
    """Return the form with the entered values. It posts to its own URL."""
    said = "".join(f"<li>{escape(fault)}</li>" for fault in faults)
    chosen = "".join(given.get("starts_at", ())[:1])
    times = "".join(
        f'<option value="{slot.isoformat()}"{_word("selected", when=slot.isoformat() == chosen)}>'
        f"{slot:%Y-%m-%d %H:%M} {escape(calendar.zone)}</option>"
        for slot in slots
    )
    body = (
        f"<h1>{escape(calendar.name)}</h1><p>{calendar.duration_min} minutes</p>"
        + (f'<ul class="faults" role="alert">{said}</ul>' if faults else "")
        + '<form method="post"><label for="starts_at">日時</label>'
        + f'<select id="starts_at" name="starts_at">{times}</select>'
        + "".join(_question(question, given.get(question.id, ())) for question in questions)
        + "<button>予約する</button></form>"
    )
    return _page(calendar.name, body, 422 if faults else 200)


def _question(question: Question, values: Sequence[str]) -> str:
    name, label = escape(question.id), escape(question.label)
    value = escape("".join(values[:1]))
    required = _word("required", when=question.required)
    same = f'id="{name}" name="{name}"{required}'
    match question.field_type:
        case "checkboxes" | "radio":
            kind = "checkbox" if question.field_type == "checkboxes" else "radio"
            choices = "".join(
                f'<label><input type="{kind}" name="{name}" value="{escape(option)}"'
                f"{_word('checked', when=option in values)}> {escape(option)}</label>"
                for option in question.options
            )
            return f"<fieldset><legend>{label}</legend>{choices}</fieldset>"
        case "dropdown":
            field = f"<select {same}><option></option>{_options(question, values)}</select>"
        case "guest_comment" | "paragraph":
            field = f'<textarea rows="3" {same}>{value}</textarea>'
        case _:
            kind = "email" if question.field_type == "guest_email" else "text"
            field = f'<input type="{kind}" value="{value}" {same}>'
    return f'<label for="{name}">{label}</label>{field}'


def _options(question: Question, values: Sequence[str]) -> str:
    return "".join(
        f"<option{_word('selected', when=option in values)}>{escape(option)}</option>"
        for option in question.options
    )


def _word(word: str, *, when: bool) -> str:
    return f" {word}" if when else ""


def _page(title: str, body: str, status: int) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        status,
    )
