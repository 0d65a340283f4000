"""Who acts when a command does: the person of this machine's own log-in, as the record of changes names them."""

import getpass


def actor_here() -> str:
    return f"{getpass.getuser()} (command line)"
