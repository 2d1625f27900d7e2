"""An incident report as HTML and as Markdown. Every value is escaped: a ledger quotes anybody."""

import re
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from ledger.incident.picture import picture
from ledger.incident.report import Report

_PAGE: Final = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{{ r.title }}</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0;
  --good: #116329; --bad: #a40e26; --ask: #7d4e00; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e6e9ec; --soft: #9aa4af;
  --line: #313840; --good: #7ddc94; --bad: #ff9aa2; --ask: #f2c766; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem;
  background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-top: 1px solid var(--line); }
td.bad { color: var(--bad); } td.ask { color: var(--ask); } td.good { color: var(--good); }
svg { width: 100%; height: auto; } .lane { font-size: 12px; fill: var(--ink); }
.rail { stroke: var(--line); } g.bad { stroke: var(--bad); } g.ask { fill: var(--ask); }
g.good { fill: var(--good); } g.plain { fill: var(--soft); } .soft { color: var(--soft); }
td:not(:last-child), th { white-space: nowrap; }
</style></head><body>
<h1>{{ r.title }}</h1>
<p>Workspace {{ r.workspace }}: {{ r.moments|length }} of {{ r.entries }} entries of its ledger,
from {{ r.first }} to {{ r.last }} (UTC, the producers' clocks). Content is left out.</p>
<p class="soft">Made from entries verified under root key {{ r.root }}.</p>
{{ picture }}
<p class="soft">✗ refused or stopped, ◆ a person was asked, ● confirmed, • anything else</p>
<h2>What stands out</h2>
{% if r.refusals %}<table>
<tr><th>entry</th><th>time</th><th>run</th><th>event</th><th>what</th></tr>
{% for m in r.refusals %}<tr><td>{{ m.index }}</td><td>{{ m.time }}</td><td>{{ m.run }}</td>
<td class="{{ m.tone }}">{{ m.type }}</td><td>{{ m.words }}</td></tr>{% endfor %}</table>
{% else %}<p>Nothing was refused, held or stopped.</p>{% endif %}
<h2>Events by type</h2><table>
{% for kind, count in r.counts.items() %}
<tr><td>{{ kind }}</td><td>{{ count }}</td></tr>{% endfor %}
</table><h2>Timeline</h2><table>
<tr><th>entry</th><th>time</th><th>run</th><th>who</th><th>event</th><th>what</th></tr>
{% for m in r.moments %}<tr><td>{{ m.index }}</td><td>{{ m.time }}</td><td>{{ m.run }}</td>
<td>{{ m.actor }}</td><td class="{{ m.tone }}">{{ m.type }}</td><td>{{ m.words }}</td></tr>
{% endfor %}</table></body></html>
"""
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|!~])")
_TEMPLATE: Final = Environment(autoescape=True).from_string(_PAGE)


def as_html(report: Report) -> str:
    """The report as one page that refers to nothing outside it."""
    # Escaped where it is made, value by value.
    return _TEMPLATE.render(r=report, picture=Markup(picture(report.moments)))  # noqa: S704


def as_markdown(report: Report) -> str:
    """The report as Markdown (CommonMark with tables)."""
    head = (
        f"# {_plain(report.title)}\n\nWorkspace {_plain(report.workspace)}:"
        f" {len(report.moments)} of {report.entries} entries of its ledger, from {report.first} to"
        f" {report.last} (UTC, the producers' clocks). Content is left out.\n\nMade from entries"
        f" verified under root key {report.root}.\n\n## What stands out\n\n"
    )
    columns = "| entry | time | run | event | what |\n| --- | --- | --- | --- | --- |\n"
    rows = [
        f"| {m.index} | {m.time} | {_plain(m.run)} | {m.type} | {_plain(m.words)} |\n"
        for m in report.moments
    ]
    marked = [row for row, m in zip(rows, report.moments, strict=True) if m in report.refusals]
    standing = columns + "".join(marked) if marked else "Nothing was refused, held or stopped.\n"
    return f"{head}{standing}\n## Timeline\n\n{columns}{''.join(rows)}"


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
