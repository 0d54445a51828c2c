"""`styletuner doctor`: what is installed and what is wrong with it."""

import json

import click


@click.command(epilog="Example: styletuner doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Check versions, backend, devices, caches, pretrained files and disk; say what is wrong and how to mend it."""
    from tuner.installation.diagnosis import diagnose

    findings = diagnose()
    if as_json:
        click.echo(json.dumps([finding.to_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = "ok  " if finding.fine else "FIX "
            click.echo(f"{mark} {finding.subject:<18} {finding.state}")
            if finding.remedy:
                click.echo(f"     {'':<18} -> {finding.remedy}")
    if not all(finding.fine for finding in findings):
        raise click.exceptions.Exit(1)
