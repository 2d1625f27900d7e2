"""The published interface of a Google Cloud service, as a gRPC servicer to subclass.

The client library ships messages and a transport, and no servicer. Each stub of the transport
names its method's path and message types to the channel, so a channel that only writes these
down gives the whole interface, from Google's own generated code.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
import proto
from google.cloud.kms_v1.services.key_management_service.transports import (
    KeyManagementServiceGrpcTransport,
)
from google.cloud.kms_v1.services.key_management_service.transports.base import (
    KeyManagementServiceTransport,
)

SERVICE = "google.cloud.kms.v1.KeyManagementService"


class _Listed(Exception):
    """A method was noted, and its call ends here."""


class _Listing(grpc.Channel):
    """A channel that notes the methods called on it, and carries nothing."""

    def __init__(self) -> None:
        self.methods: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {}

    def unary_unary(
        self,
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        _registered_method: bool | None = False,
    ) -> NoReturn:
        _, service, name = method.split("/")
        # The serialisers are methods of the message types; a server needs the opposite ones.
        asked = getattr(request_serializer, "__self__", None)
        answered = getattr(response_deserializer, "__self__", None)
        if service == SERVICE and _plus(asked) and _plus(answered):
            self.methods[name] = asked.deserialize, answered.serialize
        raise _Listed(method)

    def unary_stream(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("the service streams nothing")

    stream_unary = stream_stream = unary_stream

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        pass

    def unsubscribe(self, callback: Any) -> None:
        pass

    def close(self) -> None:
        pass

    def __enter__(self) -> "_Listing":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _plus(message: Any) -> bool:
    return isinstance(message, type) and issubclass(message, proto.Message)


def published_methods() -> dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]]:
    """Each RPC of the service, with its request's deserialiser and its response's serialiser.

    Those that start a long-running operation are left out; gRPC itself calls them UNIMPLEMENTED.
    """
    listing = _Listing()
    transport = KeyManagementServiceGrpcTransport(channel=listing)
    for name, part in vars(KeyManagementServiceTransport).items():
        stub = getattr(transport, name) if isinstance(part, property) else None
        if callable(stub):
            with contextlib.suppress(_Listed):
                stub(None)
    return listing.methods


class KeyManagementServicer:
    """Every RPC of Cloud KMS, UNIMPLEMENTED until a subclass has a method of its name."""

    def handlers(self) -> grpc.GenericRpcHandler:
        """What a gRPC server takes."""
        found = {}
        for name, (read, write) in published_methods().items():
            answer = getattr(self, name, _unimplemented)
            found[name] = grpc.unary_unary_rpc_method_handler(answer, read, write)
        return grpc.method_handlers_generic_handler(SERVICE, found)


def serve(servicer: KeyManagementServicer) -> tuple[grpc.Server, str]:
    """A running server on loopback and its endpoint; the system picks the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((servicer.handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


def _unimplemented(_: Any, context: grpc.ServicerContext) -> NoReturn:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "not served here")
