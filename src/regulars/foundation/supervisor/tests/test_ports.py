import socket

import pytest

from regulars.foundation.supervisor.ports import PortTaken, require_free_port


def test_a_taken_port_is_one_sentence_and_a_free_one_stays_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(
            PortTaken, match=rf"cannot listen on 127.0.0.1, port {port} \(Address already in use\): end what"
        ):
            require_free_port("127.0.0.1", port)
    require_free_port("127.0.0.1", port)
    require_free_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortTaken, match="Cannot assign requested address"):
        require_free_port("192.0.2.7", 18199)
