"""``alicia demo``: a fleet to look at, on the same bus as everything else."""

from alicia.cli.context import Context
from alicia.cli.exits import Usage
from alicia.cli.parsing import Group, positive


def configure(group: Group) -> None:
    """Describe the arguments."""
    parser = group.alone(demo)
    parser.add_argument("--services", type=positive, default=20, metavar="N", help="how many (20)")
    parser.add_argument(
        "--rate", type=float, default=1.0, metavar="R", help="messages per second and service (1)"
    )
    parser.add_argument("--chaos", action="store_true", help="some crash, slow down and recover")


def demo(context: Context) -> int:
    """Play the fleet until Ctrl-C."""
    services, rate = context.get("services"), context.get("rate")
    if not 0 < rate <= 1000:
        raise Usage(f"--rate: {rate:g} lies outside 0 to 1000 messages per second and service")
    from alicia.cli.demo.fleet import run_demo

    return int(run_demo(context.settings, services=services, rate=rate, chaos=context.get("chaos")))
