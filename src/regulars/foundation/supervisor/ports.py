"""Whether a port is free, asked before anything is started that would need it."""

import socket

from regulars.foundation.errors import RegularsError


class PortTaken(RegularsError):
    """Another program listens on this port already."""

    code = "port-taken"
    status = 409


def require_free_port(address: str, port: int) -> None:
    """Raises PortTaken with a sentence, also for an address that is not this machine's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            raise PortTaken(
                f"Regulars cannot listen on {address}, port {port} ({error.strerror}): end what listens there, or set PORT to another port."
            ) from error
