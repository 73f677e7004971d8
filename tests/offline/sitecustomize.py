"""With this folder on PYTHONPATH a process, such as a kernel, reaches only its own machine."""

import socket

LOCAL = {None, "", "127.0.0.1", "::1", "localhost", "0.0.0.0", socket.gethostname()}


def refuse(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host not in LOCAL:
        raise OSError(f"this runs without network, and something asked for {host}")


def block(replace=setattr):
    """Make connecting and looking names up fail for every other machine.

    `replace` may be monkeypatch.setattr.
    """
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def guarded(call):
        def only_local(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse(address[0])
            return call(self, address)

        return only_local

    def look_up_local(host, *args, **kwargs):
        refuse(host)
        return look_up(host, *args, **kwargs)

    replace(socket.socket, "connect", guarded(connect))
    replace(socket.socket, "connect_ex", guarded(connect_ex))
    replace(socket, "getaddrinfo", look_up_local)


if __name__ == "sitecustomize":
    block()
