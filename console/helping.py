"""An example of each command that people look up, for its help. A test holds them to the options.

Those that take nothing beyond `--data` and `--json` need none.
"""

from typing import Final

EXAMPLES: Final = {
    "init": "anyteam init --data .anyteam/mine",
    "up": "anyteam up --data .anyteam/mine",
    "run": "anyteam run follow-up 'move deal 4 on' --tool crm.update_deal --effect mutation",
    "approve": "anyteam approve 3fb2c1 --note 'as agreed with Jane'",
    "change": "anyteam change 3fb2c1 --text 'send it to Jane alone'",
    "deny": "anyteam deny 3fb2c1 --note 'wrong customer'",
    "halt": "anyteam halt rep ann --reason 'a stolen laptop'",
    "release": "anyteam release rep ann --reason 'it was found'",
    "console invite": "anyteam console invite ada@acme.example --role approver --person ada",
    "console revoke": "anyteam console revoke ada@acme.example --reason 'left the company'",
    "console secret": "anyteam console secret corp < client-secret.txt",
    "tokens create": "anyteam tokens create ada@acme.example --scope read --days 30 --label night",
    "passkey admit": "anyteam passkey admit 5b0c2f1e9d8a7c64",
    "policy watch": "anyteam policy watch --every 5",
    "export": "anyteam export audit-2026 --rep ann --from 2026-07-01 --until 2026-08-01",
    "verify": "anyteam verify audit-2026 --root root.pub",
    "replay": "anyteam replay --check",
    "blast": "anyteam blast --document invoice.pdf",
    "incident": "anyteam incident report-7 --run r-0199d3a1c2b-a1b2c3",
    "erase": "anyteam erase dana@example.com 'Dana Whitfield'",
    "receipt export": "anyteam receipt export 3fb2c1 --out r.json",
    "webhook add": "anyteam webhook add crm https://hooks.example.com/anyteam --type 'action.*'",
    "webhook replay": "anyteam webhook replay crm --from 1200",
    "epoch archive": "anyteam epoch archive 1",
    "restore": "anyteam restore audit-2026",
    "telemetry": "anyteam telemetry --otlp https://collector.example.com:4318 --follow",
}
EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 the answer is no (a failed verification, a run that failed); 2 bad usage"
    " or bad input; 3 the installation is not up, or is up already; 4 a component does not stay up."
)
"""As `console.main` has them."""


def with_example(name: str, command: object) -> None:
    """Put a command's example, and those of the commands below it, into its help."""
    for below, one in getattr(command, "commands", {}).items():
        with_example(f"{name} {below}", one)
    if name in EXAMPLES:
        command.epilog = f"Example: {EXAMPLES[name]}"  # type: ignore[attr-defined]
